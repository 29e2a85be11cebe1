// The bundler and the tests read `.align` files as text.
declare module "*.align?raw" {
  const text: string;
  export default text;
}
