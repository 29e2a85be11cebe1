// Why each code exists and what to do about it: the prose of its page in docs/codes/.
import type { Code } from "./codes.ts";

export interface Explanation {
  readonly why: string;
  readonly todo: string;
}

const say = (why: string, todo: string): Explanation => ({ why, todo });

export const explanations: Record<Code, Explanation> = {
  AL0001: say(
    "A bracket, a sign or a word that must stand here does not, so nobody can tell where the declaration ends.",
    "Insert what the message names. Where a bracket is missing, the second mark shows the one it closes.",
  ),
  AL0002: say(
    "A word or sign stands where the grammar has no use for it.",
    "Write what is expected there, or remove what is not. A declaration starts with its kind on a line of its own.",
  ),
  AL0003: say(
    'A string ends with `"` on the line it starts on; without it, the rest of the line would be text.',
    'Close it, or write a text of several lines between `"""`.',
  ),
  AL0004: say(
    "The character is not part of the language: often a typographic quote, another language's comment sign, or `'`.",
    "Write the sign that the message names. Any character may stand in strings and comments.",
  ),
  AL0005: say(
    "A number's unit decides what it counts. `4k` could be 4000 or 4096, so it is neither.",
    "Write all digits, with `_` between groups if you like, or one of the units the language has.",
  ),
  AL0006: say(
    "After a backslash only a few letters have a meaning; any other is probably a path or a pattern.",
    "Write `\\\\` for a backslash.",
  ),
  AL0007: say(
    "Two things on one line without a comma could be one thing with a sign missing.",
    "Put a comma between them, or give each a line of its own.",
  ),
  AL0008: say(
    "`=` declares a name; parameters are named with `:`, so that a glance tells one from the other.",
    "Write `name: value`.",
  ),
  AL0009: say(
    "A declaration starts with what it declares. This word is no kind of declaration.",
    "Use one of the kinds: `pipeline param model dataset template stage expect publish profile`.",
  ),
  AL0010: say(
    "Only inside a profile may a declaration consist of parameters alone: there it changes one that exists.",
    "Say what it is: `stage name = operation(…)`.",
  ),

  AL0011: say(
    "`:` gives a parameter its value; a declaration is made with `=`, so that a glance tells one from the other.",
    "Write `kind name = expression`.",
  ),
  AL0012: say(
    "A closing bracket stands where none is open: usually one was written twice, or its opening one was removed.",
    "Remove it, or write the bracket that it closes.",
  ),

  AL0101: say(
    "A name is read that nothing in the file declares.",
    "Correct it to the nearest name, or declare it. Order does not matter.",
  ),
  AL0102: say(
    "One name for two things would make every use of it ambiguous.",
    "Rename one of the two. Params, models, datasets, templates and stages share their names.",
  ),
  AL0103: say(
    "There is no operation of this name.",
    "Correct it to the nearest one. Each operation has a folder in `stdlib/`.",
  ),
  AL0104: say(
    "A parameter that an operation does not have would be ignored, and a run would not do what its file says.",
    "Correct it to the nearest parameter. Each operation's folder in `stdlib/` lists its parameters.",
  ),
  AL0105: say(
    "A param's type says which values `--set` and profiles may give it.",
    "Use one of `string int float bool percent duration bytes path`, or a choice of texts.",
  ),
  AL0106: say(
    "`as` promises columns by a row's name, and there is no such row.",
    "Use one of the named rows of docs/language.md, or leave `as` away: rows are structural.",
  ),
  AL0107: say(
    "A stage has the metrics that its operation declares; an `expect` on another could never be decided.",
    "Correct it to the nearest metric of that stage.",
  ),
  AL0108: say(
    "An expression over rows can read the columns these rows have, and no other.",
    "Correct the column, or bring it in earlier in the chain with `map` or `select`.",
  ),
  AL0109: say(
    "The parameter takes one of a few words, and this is none of them.",
    "Use one of the choices that the message lists.",
  ),
  AL0110: say(
    "Expressions know a fixed set of functions, so that they give the same value everywhere.",
    "Use one of the functions that the message lists.",
  ),

  AL0111: say(
    "Templates are read by the Jinja of chat templates, which has a fixed set of filters; another would fail when the first row is formatted.",
    "Use one of the filters that the message lists.",
  ),

  AL0201: say(
    "Sources and transforms make datasets, models are declared with `model`, and what computes is a `stage`.",
    "Declare it with the kind that the operation is of, or use another operation.",
  ),
  AL0202: say(
    "A stage is a typed function. What it is given has another type, or lacks columns that it reads.",
    "Give it something that fits; where an operation turns one into the other, the message names it.",
  ),
  AL0203: say("The operation cannot start without this input.", "Give it, by position or by name."),
  AL0204: say(
    "Arguments by position are matched in order; nothing takes this one.",
    "Remove it, or give it by the name of the parameter it was meant for.",
  ),
  AL0205: say("With two values given, either could be the one that counts.", "Keep one of them."),
  AL0206: say(
    "`as Row` is a promise about columns, and the file or the chain is known not to have them.",
    "Make the columns with `select` or `rename` before `as`, or name the row that these rows are.",
  ),
  AL0207: say(
    "Each input has the right type, and still the operation can make nothing of what it is given.",
    "Follow the help line: it comes from the operation itself.",
  ),
  AL0208: say(
    "The operation compares what two models say of one sequence of tokens. With two tokenizers there is no such sequence.",
    "Give it models that were made over one tokenizer: usually the model that training started from.",
  ),

  AL0209: say(
    "Each of two arguments is what the other is wanted to be: they were written in another order.",
    "Exchange them, or give them by name: `sft(data: demos, model: base)`.",
  ),

  AL0301: say(
    "A parameter of one type is given a value of another; nothing is converted silently.",
    "Write a value of the type that is wanted.",
  ),
  AL0302: say(
    "The value is outside of what the parameter allows. Where it was computed, the values of its parts are shown.",
    "Choose a value inside the bounds, or change the param's constraint if it is yours.",
  ),
  AL0303: say(
    "The parameter has no default, because no default would be right for everybody.",
    "Give it in the block or the parentheses.",
  ),
  AL0304: say(
    "The values contradict each other, or the operation cannot work with them together.",
    "Change one of the values named.",
  ),
  AL0305: say(
    "The expression cannot be computed: it divides by zero, or mixes what cannot be mixed.",
    "Change the expression; the values of its parts are shown.",
  ),
  AL0306: say(
    "A param without a value must be given from outside.",
    "Pass `--set name=value`, set it in a profile, or give it a value.",
  ),
  AL0307: say(
    "Without a type, `--set` could not tell a mistake from a value.",
    "Write the type: `param n: int = 3`.",
  ),
  AL0308: say(
    "The path names no file. Files are looked up before anything runs, so that no run fails hours later.",
    "Correct the path. Paths are relative to the .align file; `npm:package/file` reads from an installed package.",
  ),

  AL0309: say(
    "The value is allowed, and so far from what anybody uses that it is probably a slip: a sign of the exponent, a digit too many.",
    "Correct it. A value that is meant may stay: this is a warning.",
  ),

  AL0320: say(
    "The pipeline reads a key from a variable of the environment that has no value here. A warning: it may have one where the pipeline runs. Its value is never shown.",
    "Set the variable in the shell that runs the pipeline.",
  ),
  AL0321: say(
    "Files are shared, committed and quoted; a key in one is a key given away.",
    'Put it into a variable of the environment, and name that: `key: env("OPENAI_API_KEY")`.',
  ),
  AL0401: say(
    "A template would put nothing where the variable stands, and a model would be trained on the gap.",
    "Read one of the columns of the rows it is used on.",
  ),
  AL0402: say("The Jinja of the template cannot be parsed.", "Correct it at the mark."),
  AL0403: say(
    "A template has an `input`, and a `target` where a completion is trained on.",
    "Rename the part to one of the two.",
  ),

  AL0501: say(
    "Each of these declarations waits for another of them, so none can ever be computed.",
    "Break the circle: one of them must start from something outside of it.",
  ),
  AL0502: say(
    "What nothing reads is not computed. Often a stage reads another declaration than was meant.",
    "Use it in a stage, `expect` or `publish`, or remove it.",
  ),
  AL0503: say("The name stands in reports, cards and events.", "Begin the file with `pipeline name`."),
  AL0504: say("One file describes one pipeline.", "Remove one of the two lines, or split the file."),
  AL0505: say(
    "An `expect` holds or does not; a number alone is neither.",
    "Compare it with something: `expect stage.metric > 0`.",
  ),

  AL0506: say(
    "A metric that is a share lies between 0 and 1. No run could ever satisfy this expectation, and one would only know after all of it.",
    "Compare with a value the metric can have: `result.win_rate > 55%`.",
  ),
  AL0507: say(
    "A metric that is a share lies between 0 and 1. This expectation holds whatever happens, so it protects from nothing.",
    "Compare with a value that would disappoint you.",
  ),
  AL0508: say(
    "What is published second would replace what was published first.",
    "Give each a folder of its own.",
  ),

  AL0601: say("The file has no profile of this name.", "Correct the name after `--profile`."),
  AL0602: say(
    "A profile changes what the file declares. What it names here does not exist, so nothing would change.",
    "Correct it to the nearest name.",
  ),
  AL0603: say(
    "Profiles may change params, models, datasets, templates and stages. What must hold stays as it is.",
    "Move the declaration out of the profile.",
  ),
  AL0604: say(
    "`--set` changes params, and the file declares none of this name.",
    "Correct the name, or declare a `param` and use it where the value stands now.",
  ),

  AL0701: say(
    "Rows from a held-out part, or from a split or file named test, validation, dev or eval, train a model: directly, or through what was made of them. What is measured on them afterwards says how well they were remembered, not how good the model is.",
    "Train on the other part of the split, and keep this one for `compare` or `eval`.",
  ),
  AL0702: say(
    "The rows that measure a model are the rows that trained it, one of them is made of the other, or a model it started from was trained on them.",
    "Split the rows before training, and measure on the part that nothing was trained on.",
  ),
  AL0703: say(
    "A comparison of a model with itself ends in a tie whatever the model is worth; an `expect` on it means nothing.",
    "Compare with the model that training started from, or with another one.",
  ),
  AL0704: say(
    "A model that marks answers prefers its own, whatever they are worth (Zheng et al. 2023, §3.3), so that its marks say little about who is better.",
    "Let another model judge, or leave the judge's own answers out of what it judges.",
  ),

  AL0801: say(
    "`import … from` names a file of the project by its path, or a module of the standard library as `std:name`; there is none of this name.",
    'Write the path relative to this file, as in `"./models.align"`, or one of the modules that the message lists.',
  ),
  AL0802: say(
    "A file decides what others may rely on: only declarations with `export` before them can be imported.",
    "Take the nearest exported name, or write `export` before the declaration in the other file.",
  ),
  AL0803: say(
    "Two files that need each other cannot be read one after the other.",
    "Move the declarations that both need into a third file and import it from both.",
  ),
  AL0804: say(
    "What is imported and not read is left out of the pipeline. A warning, because the pipeline runs without it.",
    "Use it, or remove it from the import.",
  ),
  AL0805: say(
    "An export is a name that other files can use. `pipeline`, `expect`, `publish`, `profile` and overrides inside a profile have none.",
    "Remove `export`.",
  ),

  AL0901: say(
    "A family makes one node for each value: numbers, texts, names of declarations, the datasets of a cluster, or all `clusters`.",
    "Write the values as a list, or name a cluster.",
  ),
  AL0902: say(
    "What stands between the brackets must be one of the values that the family runs over, one for each dimension.",
    "Take the nearest value; `*` stands for all of them.",
  ),
  AL0903: say(
    "A family is several nodes. Where one model or dataset is wanted, nobody can tell which of them is meant.",
    "Name the member, as in `tuned[0.1]`, or write `tuned[*]` where several may stand.",
  ),
  AL0904: say(
    "When nothing in the declaration reads the name before `in`, all members do the same work. A warning, because they still run.",
    "Use the name, or declare a single node. To repeat with other random numbers, run over seeds: `[s in [1, 2, 3]]` and `seed: s`.",
  ),
  AL0905: say(
    "A cluster is a set of datasets; its neighbours are other clusters. Anything else would never reach a mixture.",
    "Name datasets or clusters, and declare what has no name yet.",
  ),
  AL0906: say(
    "`except` has left nothing over: the operation would have no rows.",
    "Leave fewer members out, or put more in.",
  ),
  AL0907: say(
    "With `[*]` an expectation is checked member by member, so every family in it must have the same members.",
    "Read families over the same values, or one number of each family: `mean(tuned[*].accuracy)`.",
  ),
};
