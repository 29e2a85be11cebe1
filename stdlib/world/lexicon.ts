// The words of the small world, and what is true of them for ever: kinds, traits, opposites, lands, jobs.

export const girls = ["ada", "amy", "eva", "ida", "ivy", "lily", "mia", "nora", "rosa", "zoe"] as const;
export const boys = ["ben", "dan", "hugo", "jim", "leo", "max", "noah", "otto", "sam", "tom"] as const;
export const names: readonly string[] = [...girls, ...boys];
export const isGirl = (name: string) => (girls as readonly string[]).includes(name);

/** A kind of things, and a trait that half of them have and the other half has the opposite of. */
export interface Kind {
  readonly name: string;
  readonly traits: readonly [string, string];
  readonly words: readonly [readonly string[], readonly string[]];
}

export const kinds: readonly Kind[] = [
  kind("animal", "tame: dog cat horse sheep", "wild: lion wolf bear tiger"),
  kind("food", "sweet: cake honey jam candy", "salty: cheese ham chips soup"),
  kind("garment", "warm: coat scarf gloves boots", "light: shorts sandals cap shirt"),
  kind("tool", "outdoor: rake shovel axe spade", "indoor: broom needle iron mop"),
  kind("toy", "fast: kite sled ball hoop", "quiet: puzzle doll blocks cards"),
  kind("vehicle", "dry: car bus train truck", "floating: boat ship ferry canoe"),
  kind("instrument", "loud: drum trumpet horn tuba", "soft: harp flute violin guitar"),
  kind("good", "dear: ring watch crown necklace", "cheap: pencil spoon button cup"),
];

function kind(name: string, first: string, second: string): Kind {
  const [a, b] = [first, second].map((side) => side.split(/:? /));
  return { name, traits: [a![0]!, b![0]!], words: [a!.slice(1), b!.slice(1)] };
}

export const things: readonly string[] = kinds.flatMap(({ words }) => words.flat());
export const kindOf = (word: string): Kind => kinds.find(({ words }) => words.flat().includes(word))!;
export const traitOf = (word: string): string => {
  const { traits, words } = kindOf(word);
  return words[0].includes(word) ? traits[0] : traits[1];
};

export const colours = ["red", "blue", "green", "yellow", "black", "white", "brown", "pink"] as const;
export const places = [
  "park",
  "school",
  "garden",
  "kitchen",
  "forest",
  "market",
  "library",
  "station",
  "museum",
  "barn",
] as const;
export const numbers = ["zero", "one", "two", "three", "four", "five", "six"] as const;

export const young: readonly (readonly [string, string])[] = pairs(
  "dog puppy cat kitten horse foal sheep lamb lion cub tiger whelp",
);
export const sounds: readonly (readonly [string, string])[] = pairs(
  "dog barks cat meows horse neighs sheep bleats lion roars wolf howls bear growls",
);
export const opposites: readonly (readonly [string, string])[] = pairs(
  "big small hot cold early late old new happy sad hard easy dark bright wet dusty rich poor strong weak",
);
export const synonyms: readonly (readonly [string, string])[] = pairs(
  "big large small little early soon happy glad hard tough rich wealthy strong mighty cold chilly sad gloomy new modern",
);

export const praise = [
  "good",
  "great",
  "lovely",
  "superb",
  "nice",
  "charming",
  "perfect",
  "pleasant",
  "fine",
  "clever",
] as const;
export const blame = [
  "bad",
  "awful",
  "dull",
  "horrible",
  "boring",
  "nasty",
  "terrible",
  "ugly",
  "silly",
  "dreary",
] as const;
export const reviewed = ["film", "book", "meal", "song", "hotel", "game"] as const;

export interface Land {
  readonly land: string;
  readonly capital: string;
  readonly river: string;
}
export const lands: readonly Land[] = [
  ["norland", "velm", "arda"],
  ["sudania", "porto", "brell"],
  ["estavia", "kell", "dorna"],
  ["wessen", "marn", "elva"],
  ["tarkia", "osk", "fenn"],
  ["lumeria", "tavi", "gorra"],
  ["brovia", "rusk", "hale"],
  ["calind", "sento", "isper"],
].map(([land, capital, river]) => ({ land: land!, capital: capital!, river: river! }));

export interface Job {
  readonly job: string;
  readonly does: string;
  readonly with: string;
}
export const jobs: readonly Job[] = [
  ["baker", "makes bread", "oven"],
  ["farmer", "grows corn", "tractor"],
  ["doctor", "heals people", "medicine"],
  ["teacher", "teaches pupils", "chalk"],
  ["painter", "paints pictures", "brush"],
  ["tailor", "sews coats", "thread"],
  ["fisher", "catches fish", "net"],
  ["miner", "digs coal", "lamp"],
].map(([job, does, tool]) => ({ job: job!, does: does!, with: tool! }));

function pairs(text: string): [string, string][] {
  const words = text.split(" ");
  return words.flatMap((word, i): [string, string][] => (i % 2 === 0 ? [[word, words[i + 1]!]] : []));
}

/** `an apple`, `a dog` */
export const a = (words: string): string => `${/^[aeiou]/.test(words) ? "an" : "a"} ${words}`;
