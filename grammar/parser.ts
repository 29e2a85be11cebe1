// The grammar, rule by rule, in reading order. It builds a concrete tree; build-ast.ts gives it meaning.
import {
  type CstNode,
  CstParser,
  type DSLMethodOpts,
  EOF,
  type OrMethodOpts,
  type TokenType,
  tokenMatcher,
} from "chevrotain";
import { joins } from "./operators.ts";
import { messages } from "./syntax-errors.ts";
import * as t from "./tokens.ts";

const separators = new Set([t.LeftParen, t.Comma, t.Colon]);

const declarationStarts = new Set<TokenType>(Object.values(t.Keyword));

/** `stumbled`: something was not as expected so far, so that parts of the tree may be made up. */
export type Met = (declaration: CstNode, stumbled: boolean) => void;

type Repeated = DSLMethodOpts<unknown>;

class AlignParser extends CstParser {
  /** Told of each declaration of the file as soon as it is read. */
  met: Met | undefined;

  constructor(skipValidations: boolean) {
    super(t.tokens, {
      recoveryEnabled: true,
      maxLookahead: 1,
      nodeLocationTracking: "onlyOffset",
      errorMessageProvider: messages,
      skipValidations,
    });
    this.performSelfAnalysis();
  }

  /** A word that starts a declaration is never the one too many: what follows it would be lost. */
  protected override canTokenTypeBeDeletedInRecovery(): boolean {
    return !declarationStarts.has(this.LA(1).tokenType);
  }

  /** file: declaration* */
  file = this.RULE("file", () => {
    this.MANY(() => {
      const node = this.SUBRULE(this.declaration);
      this.ACTION(() => this.met?.(node, this.errors.length > 0));
    });
    this.CONSUME(EOF);
  });

  declaration = this.RULE("declaration", () => {
    this.OPTION1(() => this.CONSUME(t.Export));
    this.OR([
      { ALT: () => this.SUBRULE(this.pipeline) },
      { ALT: () => this.SUBRULE(this.importation) },
      { ALT: () => this.SUBRULE(this.param) },
      { ALT: () => this.SUBRULE(this.node) },
      { ALT: () => this.SUBRULE(this.template) },
      { ALT: () => this.SUBRULE(this.expectation) },
      { ALT: () => this.SUBRULE(this.publication) },
      { ALT: () => this.SUBRULE(this.profile) },
      { ALT: () => this.SUBRULE(this.unknown) },
    ]);
    this.OPTION(() => this.CONSUME(t.Semicolon));
  });

  /** pipeline: "pipeline" Name */
  pipeline = this.RULE("pipeline", () => {
    this.CONSUME(t.Keyword.pipeline);
    this.CONSUME(t.Name);
  });

  /** importation: "import" "{" (Name ("as" Name)? ","?)* "}" "from" Text */
  importation = this.RULE("importation", () => {
    this.CONSUME(t.Keyword.import);
    this.CONSUME(t.LeftBrace);
    this.MANY(() => this.SUBRULE(this.importedName));
    this.CONSUME(t.RightBrace);
    this.CONSUME(t.From);
    this.SUBRULE(this.text);
  });

  importedName = this.RULE("importedName", () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.As);
      this.CONSUME1(t.Name);
    });
    this.OPTION1(() => this.CONSUME(t.Comma));
  });

  /** param: "param" Name (":" type)? ("=" value)? */
  param = this.RULE("param", () => {
    this.CONSUME(t.Keyword.param);
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.OPTION1(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.value);
    });
  });

  /** type: Name ("(" bound ("," bound)* ")")? | Text ("|" Text)* */
  type = this.RULE("type", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Name);
          this.OPTION(() => {
            this.CONSUME(t.LeftParen);
            this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.bound) });
            this.CONSUME(t.RightParen);
          });
        },
      },
      {
        ALT: () => {
          this.AT_LEAST_ONE_SEP({ SEP: t.Bar, DEF: () => this.CONSUME(t.Text) });
        },
      },
    ]);
  });

  /** bound: (">" | ">=" | "<" | "<=") value | value (".." value)? */
  bound = this.RULE("bound", () => {
    this.OR([
      {
        ALT: () => {
          this.OR1([
            { ALT: () => this.CONSUME(t.Greater) },
            { ALT: () => this.CONSUME(t.GreaterEqual) },
            { ALT: () => this.CONSUME(t.Less) },
            { ALT: () => this.CONSUME(t.LessEqual) },
          ]);
          this.SUBRULE(this.value);
        },
      },
      {
        ALT: () => {
          this.SUBRULE1(this.value);
          this.OPTION(() => {
            this.CONSUME(t.Range);
            this.SUBRULE2(this.value);
          });
        },
      },
    ]);
  });

  /** node: ("model" | "dataset" | "cluster" | "mixture" | "stage") Name dimensions? ("=" value)? block?. A forgotten `=` is noticed later. */
  node = this.RULE("node", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Keyword.model) },
      { ALT: () => this.CONSUME(t.Keyword.dataset) },
      { ALT: () => this.CONSUME(t.Keyword.cluster) },
      { ALT: () => this.CONSUME(t.Keyword.mixture) },
      { ALT: () => this.CONSUME(t.Keyword.stage) },
    ]);
    this.CONSUME(t.Name);
    this.OPTION3(() => this.SUBRULE(this.dimensions));
    this.OPTION(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.value);
    });
    this.OPTION2({
      GATE: () => this.LA(1).tokenType !== t.LeftBrace && this.LA(0).tokenType === t.Identifier,
      DEF: () => {
        this.OPTION4(() => this.CONSUME(t.Colon));
        this.SUBRULE1(this.value);
      },
    });
    this.OPTION1(() => this.SUBRULE(this.block));
  });

  /** dimensions: "[" dimension ("," dimension)* "]" */
  dimensions = this.RULE("dimensions", () => {
    this.CONSUME(t.LeftBracket);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.dimension) });
    this.CONSUME(t.RightBracket);
  });

  /** dimension: Name "in" value */
  dimension = this.RULE("dimension", () => {
    this.CONSUME(t.Name);
    this.CONSUME(t.In);
    this.SUBRULE(this.value);
  });

  /** template: "template" Name ("for" Name ("," Name)*)? block */
  template = this.RULE("template", () => {
    this.CONSUME(t.Keyword.template);
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.For);
      this.CONSUME1(t.Name, { LABEL: "rows" });
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.CONSUME2(t.Name, { LABEL: "rows" });
      });
    });
    this.SUBRULE(this.block);
  });

  /** expectation: "expect" value Text? */
  expectation = this.RULE("expectation", () => {
    this.CONSUME(t.Keyword.expect);
    this.SUBRULE(this.value);
    this.OPTION(() => this.SUBRULE(this.text));
  });

  /** publication: "publish" Name index? "to" Text block? */
  publication = this.RULE("publication", () => {
    this.CONSUME(t.Keyword.publish);
    this.CONSUME(t.Name);
    this.OPTION1(() => this.SUBRULE(this.index));
    this.CONSUME(t.To);
    this.SUBRULE(this.text);
    this.OPTION(() => this.SUBRULE(this.block));
  });

  /** profile: "profile" Name "{" declaration* "}" */
  profile = this.RULE("profile", () => {
    this.CONSUME(t.Keyword.profile);
    this.CONSUME(t.Name);
    this.CONSUME(t.LeftBrace);
    this.MANY(() => this.SUBRULE(this.declaration));
    this.CONSUME(t.RightBrace);
  });

  /** A misspelt kind of declaration, read in the shape most kinds have. */
  unknown = this.RULE("unknown", () => {
    this.CONSUME(t.UnknownKind);
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.OPTION1(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.value);
    });
    this.OPTION2(() => this.SUBRULE(this.block));
  });

  /** block: "{" entry* "}", entries separated by commas or line ends */
  block = this.RULE("block", () => {
    this.CONSUME(t.LeftBrace);
    this.MANY(() => this.SUBRULE(this.entry));
    this.CONSUME(t.RightBrace);
  });

  /** entry: Name ":" value ","? */
  entry = this.RULE("entry", () => {
    this.CONSUME(t.Name);
    this.CONSUME(t.Is);
    this.SUBRULE(this.value);
    this.OPTION(() => this.CONSUME(t.Comma));
  });

  /**
   * value: operand (Operator operand)* ("|>" application | "as" Name)*
   * Operands are one row: a rule for each level of binding would be entered for every value. What these rules are made
   * of is kept for the same reason.
   */
  value = this.RULE("value", () => {
    this.SUBRULE(this.operand);
    this.#operators ??= {
      // `except: 1` on a line of its own is a parameter.
      GATE: () => this.LA(1).tokenType !== t.Except || this.LA(2).tokenType !== t.Colon,
      DEF: () => {
        this.CONSUME(t.Operator);
        this.SUBRULE1(this.operand);
      },
    };
    this.MANY(this.#operators);
    this.#steps ??= () => this.SUBRULE(this.step);
    this.MANY1(this.#steps);
  });
  #operators: Repeated | undefined;
  #steps: (() => void) | undefined;

  step = this.RULE("step", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Pipe);
          this.SUBRULE(this.application);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.As);
          this.CONSUME(t.Name);
        },
      },
    ]);
  });

  /** operand: "not"* "-"* (number | text | Name arguments? | list | block | "(" value ")") ("." Name | index)* */
  operand = this.RULE("operand", () => {
    this.#negations ??= {
      // `not` holds for a comparison, so it is never within one.
      GATE: () => !tokenMatcher(this.LA(0), t.Operator) || joins(this.LA(0).image),
      DEF: () => this.CONSUME(t.Not),
    };
    this.MANY(this.#negations);
    this.#minuses ??= () => this.CONSUME(t.Minus);
    this.MANY1(this.#minuses);
    this.#primaries ??= {
      DEF: [
        { ALT: () => this.CONSUME(t.NumberLiteral) },
        { ALT: () => this.SUBRULE(this.text) },
        {
          ALT: () => {
            this.CONSUME(t.Name);
            this.OPTION(() => this.SUBRULE(this.arguments));
          },
        },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.block) },
        {
          ALT: () => {
            this.CONSUME(t.LeftParen);
            this.SUBRULE(this.value);
            this.CONSUME(t.RightParen);
          },
        },
      ],
      ERR_MSG: "a value",
    };
    this.OR(this.#primaries);
    this.#parts ??= () =>
      this.OR1([
        {
          ALT: () => {
            this.CONSUME(t.Dot);
            this.CONSUME1(t.Name, { LABEL: "member" });
          },
        },
        { GATE: () => this.#touches(), ALT: () => this.SUBRULE(this.index) },
      ]);
    this.MANY2(this.#parts);
  });
  #negations: Repeated | undefined;
  #minuses: (() => void) | undefined;
  #primaries: OrMethodOpts<unknown> | undefined;
  #parts: (() => void) | undefined;

  /** `d[0.1]`, not `d [0.1]`: a list may follow a value whose comma was forgotten. */
  #touches(): boolean {
    const [before, next] = [this.LA(0), this.LA(1)];
    return before.startOffset + before.image.length === next.startOffset;
  }

  /** index: "[" ("*" | value) ("," ("*" | value))* "]" */
  index = this.RULE("index", () => {
    this.CONSUME(t.LeftBracket);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.indexItem) });
    this.CONSUME(t.RightBracket);
  });

  indexItem = this.RULE("indexItem", () => {
    this.OR([{ ALT: () => this.CONSUME(t.Times) }, { ALT: () => this.SUBRULE(this.value) }]);
  });

  /** application: Name arguments */
  application = this.RULE("application", () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.arguments);
  });

  /** arguments: "(" (argument ("," argument)* ","?)? ")". A forgotten comma is noticed later, by line. */
  arguments = this.RULE("arguments", () => {
    this.CONSUME(t.LeftParen);
    this.MANY({
      // In `sft(base, demos { epochs: 1 }` the brace opens the block of the stage: what is missing is `)`.
      GATE: () => this.LA(1).tokenType !== t.LeftBrace || separators.has(this.LA(0).tokenType),
      DEF: () => {
        this.SUBRULE(this.argument);
        this.OPTION(() => this.CONSUME(t.Comma));
      },
    });
    this.CONSUME(t.RightParen);
  });

  /** argument: (Name ":")? value */
  argument = this.RULE("argument", () => {
    this.#named ??= {
      GATE: () => this.LA(2).tokenType === t.Colon,
      DEF: () => {
        this.CONSUME(t.Name);
        this.CONSUME(t.Colon);
      },
    };
    this.OPTION(this.#named);
    this.SUBRULE(this.value);
  });
  #named: Repeated | undefined;

  /** list: "[" (value ("," value)* ","?)? "]" */
  list = this.RULE("list", () => {
    this.CONSUME(t.LeftBracket);
    this.MANY(() => {
      this.SUBRULE(this.value);
      this.OPTION(() => this.CONSUME(t.Comma));
    });
    this.CONSUME(t.RightBracket);
  });

  text = this.RULE("text", () => {
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(t.Text) },
        { ALT: () => this.CONSUME(t.TextBlock) },
        { ALT: () => this.CONSUME(t.UnclosedText) },
        { ALT: () => this.CONSUME(t.UnclosedTextBlock) },
        { ALT: () => this.CONSUME(t.SingleQuoted) },
      ],
      ERR_MSG: "a string",
    });
  });
}

export interface Tree {
  readonly cst: CstNode;
  readonly errors: AlignParser["errors"];
}

let shared: AlignParser | undefined;

/** Building the tables of the grammar takes longer than reading a file, so it happens once. */
export function readTree({ tokens }: t.Lexed, start: "file" | "value", met?: Met): Tree {
  // The lexer leaves ends out; with them the parser knows where each rule ends.
  for (const token of tokens) token.endOffset = token.startOffset + token.image.length - 1;
  shared ??= new AlignParser(true);
  shared.input = tokens;
  shared.met = met;
  const cst = shared[start]();
  return { cst, errors: [...shared.errors] };
}

/** For the test that the grammar is unambiguous; throws when it is not. */
export function validateGrammar(): void {
  new AlignParser(false);
}
