// The façade by the official JavaScript SDK: `node sdk.mjs HOST KEY LIMITED_KEY`; what came of it as JSON.

import OpenAI from "openai";

const [host = "", key = "", limitedKey = ""] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${host}/openai/v1`, apiKey: key, maxRetries: 0 });
const messages = [{ role: "user", content: "Hello" }];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = ["weather", "time"].map((name) => ({ type: "function", function: { name, parameters } }));
const told = {};

/** Status, code and class of the error that `call` ends in. */
async function failure(call) {
  try {
    await call();
  } catch (error) {
    return [error.status ?? null, error.code ?? null, error.constructor.name];
  }
  return null;
}

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

told.models = (await client.models.list()).data.map((model) => model.id).filter((id) => id.startsWith("sdk"));
told.model = (await client.models.retrieve("sdk/chat")).id;

const whole = await client.chat.completions.create({ model: "sdk-helper", messages });
told.chat = [whole.choices[0].message.content, whole.choices[0].finish_reason, whole.usage.total_tokens, whole.model];

let streamed = "", usage = null, last = null;
const options = { stream: true, stream_options: { include_usage: true } };
for await (const chunk of await client.chat.completions.create({ model: "sdk/chat", messages, ...options })) {
  streamed += chunk.choices[0]?.delta.content ?? "";
  last = chunk.choices[0]?.finish_reason ?? last;
  usage = chunk.usage ?? usage;
}
told.stream = [streamed, last, usage.total_tokens];

const called = await client.chat.completions.create({ model: "sdk/tools", messages, tools, tool_choice: "auto" });
const calls = called.choices[0].message.tool_calls;
told.tools = [called.choices[0].finish_reason, calls.map((call) => [call.function.name, call.function.arguments])];

const runner = client.chat.completions.stream({ model: "sdk/tools", messages, tools });
const final = (await runner.finalChatCompletion()).choices[0];
told.streamed_tools = [final.finish_reason, final.message.tool_calls.map((call) => [call.function.name, call.function.arguments])];

const answers = calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: `${call.function.name}: fine` }));
const next = await client.chat.completions.create({ model: "sdk/echo", messages: [...messages, called.choices[0].message, ...answers] });
told.tool_answer = next.choices[0].message.content;

const vectors = await client.embeddings.create({ model: "sdk/embed", input: ["one", "two"] });
const plain = await client.embeddings.create({ model: "sdk/embed", input: "one", encoding_format: "float" });
told.embeddings = [vectors.data.length, vectors.data[0].embedding.every((x, i) => Math.abs(x - plain.data[0].embedding[i]) < 1e-6)];

const chat = (model, more = {}) => () => client.chat.completions.create({ model, messages, ...more });
told.unknown_model = await failure(chat("sdk-nothing"));
told.unknown_retrieved = await failure(() => client.models.retrieve("sdk/nothing"));
told.not_answered = await failure(chat("sdk-helper", { n: 2 }));
told.bad_key = await failure(() => new OpenAI({ baseURL: `${host}/openai/v1`, apiKey: "sk-wrong", maxRetries: 0 }).models.list());
told.broken_before = await failure(chat("sdk/status:500"));
told.rejected = await failure(chat("sdk/status:400"));
told.their_key = await failure(chat("sdk/status:401"));
told.their_limit = await failure(chat("sdk/status:429:7"));
told.broken_amid = await failure(async () => textOf(await chat("sdk/break:cut:0.6:chunked", { stream: true })()));

const limited = new OpenAI({ baseURL: `${host}/openai/v1`, apiKey: limitedKey, maxRetries: 0 });
told.limit = null;
while (told.limit === null) told.limit = await failure(() => limited.models.list());

const left = await chat("sdk/chunks:500:20", { stream: true })();
for await (const chunk of left) if (chunk.choices[0]?.delta.content) break;
left.controller.abort();

console.log(JSON.stringify(told));
