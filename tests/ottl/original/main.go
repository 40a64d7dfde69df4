// SPDX-License-Identifier: Apache-2.0
//
// What ottl_peer does (../ottl_peer.cc), done by the Collector's own OTTL. A statement that panics or does not end
// within a second has the outcome `panicked`.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspan"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type spanContext = *ottlspan.TransformContext

func hexLines(path string) (lines [][]byte) {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<26)
	for scanner.Scan() {
		line, err := hex.DecodeString(scanner.Text())
		if err != nil {
			panic(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func word(bytes []byte) string {
	if len(bytes) == 0 {
		return "-"
	}
	return hex.EncodeToString(bytes)
}

func compiled(texts [][]byte) (statements []*ottl.Statement[spanContext]) {
	functions := ottlfuncs.StandardFuncs[spanContext]()
	isRoot := ottlfuncs.NewIsRootSpanFactoryNew()
	functions[isRoot.Name()] = isRoot
	parser, err := ottlspan.NewParser(functions, componenttest.NewNopTelemetrySettings())
	if err != nil {
		panic(err)
	}
	for i, text := range texts {
		statement, err := parser.ParseStatement(string(text))
		if err != nil {
			fmt.Println("-", i, "refused", word([]byte(err.Error())), "-")
			statement = nil
		}
		statements = append(statements, statement)
	}
	return statements
}

func outcome(statement *ottl.Statement[spanContext], request []byte) string {
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(request)
	if err != nil {
		panic(err)
	}
	resource := traces.ResourceSpans().At(0)
	scope := resource.ScopeSpans().At(0)
	type result struct {
		err      error
		panicked any
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() { r.panicked = recover(); done <- r }()
		_, _, r.err = statement.Execute(context.Background(), ottlspan.NewTransformContextPtr(resource, scope, scope.Spans().At(0)))
	}()
	select {
	case r := <-done:
		if r.panicked != nil {
			return "panicked " + word([]byte(fmt.Sprint(r.panicked))) + " -"
		}
		changed, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
		if err != nil {
			panic(err)
		}
		if r.err != nil {
			return "failed " + word([]byte(r.err.Error())) + " " + word(changed)
		}
		return "ok - " + word(changed)
	case <-time.After(time.Second):
		return "panicked " + word([]byte("does not end")) + " -"
	}
}

func main() {
	statements := compiled(hexLines(os.Args[1]))
	for span, request := range hexLines(os.Args[2]) {
		for i, statement := range statements {
			if statement != nil {
				fmt.Println(span, i, outcome(statement, request))
			}
		}
	}
}
