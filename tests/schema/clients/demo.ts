// The demo's calls by a client that openapi-typescript made types for: `node demo.js HOST KEY MODEL_URL`.

import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type RunEvent = components["schemas"]["AutomateRunEvent"];

const [host = "", key = "", modelUrl = ""] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl: host, headers: { Authorization: `Bearer ${key}` } });

/** What was answered; an Error with the problem where that was an error. */
function answered<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function* eventsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<RunEvent> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of stream) {
    const frames = (rest + decoder.decode(piece, { stream: true })).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames.filter((text) => !text.startsWith(":"))) {
      const fields = new Map(frame.split("\n").map((line): [string, string] => {
        const [name = "", ...value] = line.split(": ");
        return [name, value.join(": ")];
      }));
      yield { id: Number(fields.get("id")), event: fields.get("event"), data: JSON.parse(fields.get("data") ?? "{}") } as RunEvent;
    }
  }
}

const provider = answered(await api.POST("/api/v1/providers/", {
  body: { name: "Models", slug: "ts-models", kind: "openai", base_url: modelUrl, api_key: "sk-a-key", default_model: "chat" },
}));
const tested = answered(await api.POST("/api/v1/providers/{id}/test/", { params: { path: { id: provider.id } } }));
const llmClient = answered(await api.POST("/api/v1/llm-clients/", {
  body: { name: "Helper TS", slug: "ts-helper", provider: provider.id, model: "chat", temperature: 0.2, max_tokens: 96 },
}));
const endpoint = answered(await api.POST("/api/v1/endpoints/", {
  body: {
    name: "Ask",
    slug: "ts-ask",
    task_types: ["llm.chat"],
    llm_client: llmClient.id,
    config: { input_field: "question" },
    input_schema: { type: "object", properties: { question: { type: "string" } }, required: ["question"] },
  },
}));

const path = { id: endpoint.slug };
const refused = await api.POST("/api/v1/endpoints/{id}/run/", { params: { path }, body: { input: { question: 42 } } });
const fields: string[] = refused.error?.errors?.map((fault) => fault.field) ?? [];

const body = { input: { question: "Why is the sky blue?" }, params: { max_tokens: 80 } };
const header = { "Idempotency-Key": randomUUID() };
const execution = answered(await api.POST("/api/v1/endpoints/{id}/run/", { params: { path, header }, body }));
const stored = answered(await api.GET("/api/v1/executions/{id}/", { params: { path: { id: execution.id } } }));

const stream = answered(await api.POST("/api/v1/modal/endpoints/{id}/stream/", {
  params: { path },
  body,
  parseAs: "stream",
}));
let text = "";
const seen: string[] = [];
let total: number | undefined;
for await (const event of eventsOf(stream as ReadableStream<Uint8Array>)) {
  seen.push(event.event);
  if (event.event === "token") text += event.data.text;
  if (event.event === "final") total = event.data.usage?.total_tokens;
  if (event.event === "error") throw new Error(event.data.code);
}

const page = answered(await api.GET("/api/v1/executions/", {
  params: { query: { endpoint: endpoint.id, status: "succeeded", ordering: ["-created_at"], page_size: 10, count: true } },
}));

console.log(JSON.stringify({
  has_api_key: provider.has_api_key,
  models: tested.models,
  refused: [refused.response.status, fields],
  stored: stored.status,
  answer: (stored.output as { text: string }).text,
  tokens: stored.usage?.total_tokens,
  streamed: text,
  events: [seen.at(0), seen.at(-1)],
  streamed_tokens: total,
  executions: [page.results.length, page.count],
}));
