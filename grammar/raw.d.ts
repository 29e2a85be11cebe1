// Tests read fixtures as text.
declare module "*?raw" {
  const text: string;
  export default text;
}
