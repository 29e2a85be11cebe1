// `--set` names params that exist, `--profile` a profile that exists.
import { profilesOf } from "../apply-profile.ts";
import { diagnose } from "../codes.ts";
import { modulesOf } from "../modules.ts";
import { setSource } from "../params.ts";
import { kindOf, namesOf } from "../scope.ts";
import { listed, nearest, oneOf } from "../suggest.ts";
import type { Check } from "./check.ts";

export const commandLine: Check = ({ module, isRoot, scope, sets, profile }) => {
  if (!isRoot) return [];
  const found = Object.entries(sets).flatMap(([name, value]) => {
    const d = scope.names.get(name);
    if (d?.kind === "param" || scope.lost.has(name)) return [];
    const path = setSource(name, value).path;
    const params = namesOf(scope, (p) => p.kind === "param");
    const near = nearest(name, params);
    return [
      diagnose("AL0604", {
        title: d
          ? `\`${name}\` is ${kindOf(d)}, only params can be set`
          : `there is no param \`${name}\` to set`,
        at: { path, span: { start: 0, end: name.length } },
        label: d ? `this is ${kindOf(d)}` : "unknown param",
        help: [
          near.length > 0
            ? `did you mean ${oneOf(near)}?`
            : params.length > 0
              ? `params are ${listed(params)}`
              : "this file declares no params",
        ],
      }),
    ];
  });
  const profiles = modulesOf(module).flatMap((m) => profilesOf(m.parsed.file).map((p) => p.name.text));
  if (profile !== undefined && !profiles.includes(profile) && !scope.lost.has(profile)) {
    const near = nearest(profile, profiles);
    found.push(
      diagnose("AL0601", {
        title: `there is no profile \`${profile}\``,
        at: { path: `--profile ${profile}`, span: { start: 0, end: profile.length } },
        label: "unknown profile",
        help: [
          near.length > 0
            ? `did you mean ${oneOf(near)}?`
            : profiles.length > 0
              ? `profiles are ${listed(profiles)}`
              : "this file declares no profiles",
        ],
      }),
    );
  }
  return found;
};
