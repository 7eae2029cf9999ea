// Fixture. Plays the dashboard's server, with made-up and living data, for development and for the page's own tests.
// It is no reference: the wire types and the service are.
//
//   node dev/server.mjs [--port 8090] [--dist dist] [--history 3500] [--seed 7]
//
// Switches, all POST: /observability/dev/restart?ms=3000 (away for a while), /observability/dev/socket?on=0 (no
// WebSocket), /observability/dev/empty?on=1 (an installation in which nothing has happened).

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { WebSocketServer } from "ws";
import { Refusal, rest } from "./rest.mjs";
import * as views from "./views.mjs";
import { World } from "./world.mjs";

const BASE = "/observability";
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

function option(name, otherwise) {
  const i = process.argv.indexOf(`--${name}`);
  return i < 0 ? otherwise : process.argv[i + 1];
}

const port = Number(option("port", "8090"));
const dist = option("dist", null);
let world = new World({ seed: Number(option("seed", "7")), history: Number(option("history", "3500")) });
const full = world;
let awayUntil = 0;
let sockets = true;

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://x");
  const send = (status, body, type = "application/json") => {
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  try {
    if (url.pathname.startsWith(`${BASE}/dev/`)) {
      switchOver(url);
      return send(200, { ok: true });
    }
    if (Date.now() < awayUntil) return request.socket.destroy();
    if (url.pathname.startsWith(`${BASE}/api/`)) {
      const body = await read(request);
      const answer = rest(
        world,
        request.method,
        url.pathname.slice(`${BASE}/api`.length),
        Object.fromEntries(url.searchParams),
        body,
        request.headers,
      );
      return send(answer.status ?? 200, answer.text ?? answer.body, answer.type);
    }
    return await file(url.pathname, response);
  } catch (error) {
    if (error instanceof Refusal) return send(error.problem.status, error.problem, "application/problem+json");
    console.error(error);
    return send(
      500,
      {
        type: "/problems/internal",
        title: "Something is wrong in the service",
        status: 500,
        code: "internal",
        detail: String(error),
      },
      "application/problem+json",
    );
  }
});

async function read(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "invalid_json", "The body is not JSON");
  }
}

async function file(path, response) {
  if (path === "/" || !path.startsWith(BASE)) {
    response.writeHead(path === "/" ? 302 : 404, { location: BASE });
    return response.end();
  }
  if (!dist) {
    response.writeHead(404);
    return response.end("start with --dist dist to serve the page");
  }
  const inside = normalize(path.slice(BASE.length) || "/");
  const asset = extname(inside) !== "";
  const body = await readFile(join(dist, asset ? inside : "index.html")).catch(() => null);
  if (body === null) {
    response.writeHead(404);
    return response.end();
  }
  response.writeHead(200, {
    "content-type": TYPES[asset ? extname(inside) : ".html"] ?? "application/octet-stream",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": asset && inside.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-store",
  });
  return response.end(body);
}

function switchOver(url) {
  const what = url.pathname.slice(`${BASE}/dev/`.length);
  if (what === "restart") {
    awayUntil = Date.now() + Number(url.searchParams.get("ms") ?? 3000);
    closeAll("the dashboard restarts");
  } else if (what === "socket") {
    sockets = url.searchParams.get("on") !== "0";
    if (!sockets) closeAll("no sockets");
  } else if (what === "empty") {
    if (url.searchParams.get("on") === "0") world = full;
    else {
      world = new World({ history: 0 });
      world.tasks.clear();
      world.order = [];
      world.running = [];
      world.batches.clear();
      world.workers = [];
      world.agents = [];
      world.nextArrival = Infinity;
    }
    closeAll("other data");
  }
}

const wss = new WebSocketServer({ noServer: true });
const clients = new Set();

function closeAll(reason) {
  for (const client of clients) {
    client.socket.send(JSON.stringify({ type: "bye", reason }));
    client.socket.close();
  }
}

server.on("upgrade", (request, socket, head) => {
  if (Date.now() < awayUntil || !sockets || !request.url.startsWith(`${BASE}/ws`)) return socket.destroy();
  return wss.handleUpgrade(request, socket, head, (ws) => {
    const client = { socket: ws, subscriptions: new Map() };
    clients.add(client);
    ws.on("close", () => clients.delete(client));
    ws.on("message", (text) => receive(client, JSON.parse(String(text))));
  });
});

function receive(client, frame) {
  if (frame.type === "ping") client.socket.send(JSON.stringify({ type: "pong" }));
  if (frame.type === "unsubscribe") client.subscriptions.delete(frame.id);
  if (frame.type !== "subscribe") return;
  const subscription = {
    ...frame,
    last: "",
    seq: frame.params.after_seq ?? 0,
    message: frame.params.after_message ?? -1,
    version: -1,
    tree: -1,
  };
  client.subscriptions.set(frame.id, subscription);
  push(client, subscription);
}

function push(client, subscription) {
  try {
    const data = subscription.topic === "task" ? taskFrame(subscription) : state(subscription);
    if (data === null) return;
    const text = JSON.stringify({ type: "data", id: subscription.id, data });
    // The time alone is no change.
    const compared = text.replace(/"at":"[^"]*",/, "");
    if (subscription.topic !== "task" && compared === subscription.last) return;
    subscription.last = compared;
    client.socket.send(text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    client.subscriptions.delete(subscription.id);
    client.socket.send(JSON.stringify({ type: "error", id: subscription.id, problem: error.problem }));
  }
}

function state({ topic, params }) {
  const paths = {
    overview: "/overview",
    tasks: "/tasks",
    approvals: "/approvals",
    tool_calls: "/tool-calls",
    batches: "/batches",
    workers: "/workers",
    agents: "/agents",
    system: "/system",
  };
  if (topic === "batch") return { batch: rest(world, "GET", `/batches/${params.batch_id}`, {}, {}, {}).body };
  if (!paths[topic]) throw new Refusal(404, "route_not_found", "There is no such topic");
  return rest(world, "GET", paths[topic], params, {}, {}).body;
}

function taskFrame(s) {
  const rec = world.tasks.get(s.params.task_id);
  if (!rec) throw new Refusal(404, "task_not_found", "There is no such task");
  if (rec.version === s.version && rec.treeVersion === s.tree) return null;
  const frame = {
    task: rec.task,
    events: rec.events.slice(s.seq, s.seq + 1000),
    messages: rec.messages.filter((m) => m.index > s.message),
    reply: rec.reply,
    tool_calls: rec.calls.filter((c) => c.status === "open"),
    ...(rec.treeVersion === s.tree ? {} : { tree: views.tree(rec) }),
  };
  s.seq += frame.events.length;
  s.message = rec.messages.at(-1)?.index ?? s.message;
  s.version = rec.version;
  s.tree = rec.treeVersion;
  return frame;
}

setInterval(() => world.tick(), 50);
setInterval(() => {
  for (const client of clients) for (const subscription of client.subscriptions.values()) push(client, subscription);
}, 250);

server.listen(port, "127.0.0.1", () => console.log(`fixture on http://127.0.0.1:${port}${BASE}`));
