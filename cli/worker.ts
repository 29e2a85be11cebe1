// The entry of the process that runs one task.
import { serveWorker } from "../engine/index.ts";
import { library } from "../stdlib/index.ts";

serveWorker(library);
