// The bundler and the tests read what `align init` writes as text.
declare module "*?raw" {
  const text: string;
  export default text;
}
