// How rows become what a model reads.
export {
  type EncodeOptions,
  type Example,
  encodeExample,
  encodePair,
  encodePrompt,
  encodeResponses,
  type Pair,
} from "./encode.ts";
export { asMessages, conversationOf, messagesOf, plainText } from "./messages.ts";
export { type RenderedRow, renderRow, type TemplateTexts, templateTexts } from "./render-row.ts";
export { type Segment, type Segments, segmentsOf } from "./segments.ts";
