// SPDX-License-Identifier: Apache-2.0
//
// Exports two spans over OTLP/HTTP JSON to the URL given, and prints their trace id.

import { SpanKind, context, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": "js-shop" }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: process.argv[2] }))],
});
const tracer = provider.getTracer("js.scope", "2.0");
const parent = tracer.startSpan("GET /items", { kind: SpanKind.SERVER });
const child = tracer.startSpan("odd values", {}, trace.setSpan(context.active(), parent));
child.setAttribute("nan", NaN);
child.setAttribute("huge", 1e300);
child.setAttribute("lone", "\ud83d!");
child.setAttribute("array", ["a", null, "b"]);
child.end();
parent.end();
await provider.forceFlush();
await provider.shutdown();
console.log(parent.spanContext().traceId);
