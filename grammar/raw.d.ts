// Tests read the examples as text.
declare module "*?raw" {
  const text: string;
  export default text;
}
