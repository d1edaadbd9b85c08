// Holds rendered Kubernetes objects, given on standard input, against the types of their APIs, a misspelt field included; and
// whatever selects pods against the pods there are, which no type knows. Called by scripts/deploy-check.
//
// The types are TypeScript's, made from the API's own schemas: the compiler refuses a field that isn't there.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parseAllDocuments } from "yaml";

const folder = dirname(fileURLToPath(import.meta.url));

/** The package that has the types of this API. */
const packages = { "keda.sh": "@kubernetes-models/keda", "monitoring.coreos.com": "@kubernetes-models/prometheus-operator" };
const packageOf = (apiVersion) => `${packages[apiVersion.split("/")[0]] ?? "kubernetes-models"}/${apiVersion}`;

const named = (object) => `${object.kind} ${object.metadata.name}`;

/** What the compiler says of these objects, each as a constant of its type. */
function misfits(objects) {
  const file = join(folder, "objects.ts");
  const text = objects
    .map(({ apiVersion, kind, ...rest }, at) => {
      const value = JSON.stringify({ apiVersion, kind, ...rest }, null, 1);
      return `import type { I${kind} as T${at} } from "${packageOf(apiVersion)}";\nexport const o${at}: T${at} = ${value};\n`;
    })
    .join("");
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, noEmit: true, strict: true, skipLibCheck: true, types: [] };
  const host = ts.createCompilerHost(options);
  const real = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...more) => (name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ESNext) : real(name, ...more));
  const problems = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
  return problems.map((problem) => {
    const at = text.slice(0, problem.start ?? 0).split("import type").length - 2;
    return `${named(objects[Math.max(at, 0)])}: ${ts.flattenDiagnosticMessageText(problem.messageText, "\n")}`;
  });
}

/** The labels of pods that this object selects. */
const selectors = {
  Deployment: (object) => object.spec.selector.matchLabels,
  NetworkPolicy: (object) => object.spec.podSelector.matchLabels,
  PodDisruptionBudget: (object) => object.spec.selector.matchLabels,
  PodMonitor: (object) => object.spec.selector.matchLabels,
  Service: (object) => object.spec.selector,
  StatefulSet: (object) => object.spec.selector.matchLabels,
};

/** What selects no pod, or names a port or an object that isn't there. */
function dangling(objects) {
  const pods = objects.flatMap((object) => (object.spec?.template ? [object.spec.template] : []));
  const chosen = (labels) => pods.filter((pod) => Object.entries(labels).every(([name, value]) => pod.metadata.labels?.[name] === value));
  const ports = (pod) => pod.spec.containers.flatMap((container) => container.ports ?? []).map((port) => port.name);
  const found = [];
  for (const object of objects.filter((object) => selectors[object.kind])) {
    const selected = chosen(selectors[object.kind](object));
    if (selected.length === 0) found.push(`${named(object)} selects no pod`);
    const wanted = [
      ...(object.kind === "Service" ? object.spec.ports.map((port) => port.targetPort) : []),
      ...(object.kind === "PodMonitor" ? object.spec.podMetricsEndpoints.map((endpoint) => endpoint.port) : []),
      ...(object.spec.ingress ?? []).flatMap((rule) => rule.ports ?? []).map((port) => port.port),
    ];
    for (const port of wanted.filter((port) => !selected.some((pod) => ports(pod).includes(port)))) found.push(`${named(object)} names the port ${port}, which none of its pods has`);
  }
  for (const object of objects.filter((object) => object.kind === "ScaledObject")) {
    const { kind, name } = object.spec.scaleTargetRef;
    const target = objects.find((other) => other.kind === kind && other.metadata.name === name);
    if (!target || "replicas" in target.spec) found.push(`${named(object)} scales ${kind} ${name}, which isn't there or says its own replicas`);
  }
  return found;
}

/** Every pod runs as nobody, can't write, and can't become anything else. */
function unconfined(objects) {
  return objects.filter((object) => object.spec?.template).flatMap((object) => {
    const { securityContext: pod, containers, automountServiceAccountToken } = object.spec.template.spec;
    const confined = containers.every(
      ({ securityContext: own, resources }) => own.readOnlyRootFilesystem && own.allowPrivilegeEscalation === false && own.capabilities.drop.includes("ALL") && resources.limits.memory && resources.requests.cpu,
    );
    const well = confined && pod.runAsNonRoot && pod.seccompProfile.type === "RuntimeDefault" && automountServiceAccountToken === false;
    return well ? [] : [`${named(object)} is not confined`];
  });
}

/** The checks themselves find what they are for. */
function selfTest(objects) {
  const spoilt = structuredClone(objects);
  const set = spoilt.find((object) => object.kind === "StatefulSet");
  set.spec.template.spec.securityContext.runAsNonRot = true;
  set.spec.template.metadata.labels = { some: "other" };
  delete set.spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem;
  const scaled = spoilt.find((object) => object.kind === "ScaledObject");
  if (scaled) scaled.spec.maxReplicas = 3;
  const found = [misfits(spoilt), dangling(spoilt), unconfined(spoilt)];
  const expected = [/runAsNonRot/, /StatefulSet attrsync selects no pod/, /StatefulSet attrsync is not confined/];
  expected.forEach((pattern, at) => {
    if (!found[at].some((line) => pattern.test(line))) throw new Error(`the check finds no ${pattern}: ${JSON.stringify(found[at])}`);
  });
  if (scaled && !found[0].some((line) => /^ScaledObject.*maxReplicas/.test(line))) throw new Error("the check finds no misspelt field of a ScaledObject");
}

const objects = parseAllDocuments(readFileSync(0, "utf8")).map((document) => document.toJS()).filter(Boolean);
const problems = [...misfits(objects), ...dangling(objects), ...unconfined(objects)];
selfTest(objects);
problems.forEach((problem) => console.error(problem));
console.log(`${objects.length} objects, ${problems.length} problems`);
process.exitCode = problems.length || !objects.length ? 1 : 0;
