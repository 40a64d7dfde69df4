// SPDX-License-Identifier: Apache-2.0
//
//	original CONFIGURATIONS REQUESTS
//
// has the Collector's own processors work on each request by each configuration. A line of CONFIGURATIONS is JSON,
// `{"attributes/a": {...}}`, one of REQUESTS an ExportTraceServiceRequest in hexadecimal digits. Prints a line for each pair:
//
//	REQUEST CONFIGURATION ok|failed REASON RESULT
//
// by their numbers from 0, reason and resulting request in hexadecimal digits or a dash; and for a configuration that is refused
//
//	- CONFIGURATION refused REASON -
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/redactionprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/spanprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"gopkg.in/yaml.v3"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func lines(path string) (found []string) {
	file, err := os.Open(path)
	check(err)
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<26)
	for scanner.Scan() {
		found = append(found, scanner.Text())
	}
	return found
}

func word(bytes []byte) string {
	if len(bytes) == 0 {
		return "-"
	}
	return hex.EncodeToString(bytes)
}

func factories() map[string]processor.Factory {
	found := map[string]processor.Factory{}
	for _, factory := range []processor.Factory{
		attributesprocessor.NewFactory(), filterprocessor.NewFactory(), probabilisticsamplerprocessor.NewFactory(), redactionprocessor.NewFactory(),
		resourceprocessor.NewFactory(), spanprocessor.NewFactory(), transformprocessor.NewFactory(),
	} {
		found[factory.Type().String()] = factory
	}
	return found
}

// Its only entry is the processor's name and section.
func built(factories map[string]processor.Factory, configuration string, next consumer.Traces) (processor.Traces, error) {
	var entries map[string]map[string]any
	check(yaml.Unmarshal([]byte(configuration), &entries)) // unlike encoding/json it tells integers from doubles
	for name, section := range entries {
		factory := factories[strings.SplitN(name, "/", 2)[0]]
		config := factory.CreateDefaultConfig()
		if err := confmap.NewFromStringMap(section).Unmarshal(&config); err != nil {
			return nil, err
		}
		if err := xconfmap.Validate(config); err != nil {
			return nil, err
		}
		made, err := factory.CreateTraces(context.Background(), processortest.NewNopSettings(factory.Type()), config, next)
		if err != nil {
			return nil, err
		}
		return made, made.Start(context.Background(), componenttest.NewNopHost())
	}
	panic("an empty configuration")
}

func outcome(processor processor.Traces, sink *consumertest.TracesSink, request string) string {
	body, err := hex.DecodeString(request)
	check(err)
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	check(err)
	sink.Reset()
	if err := processor.ConsumeTraces(context.Background(), traces); err != nil {
		return "failed " + word([]byte(err.Error())) + " -"
	}
	passed := ptrace.NewTraces()
	for _, part := range sink.AllTraces() {
		part.ResourceSpans().MoveAndAppendTo(passed.ResourceSpans())
	}
	result, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(passed)
	check(err)
	return "ok - " + word(result)
}

func main() {
	known := factories()
	requests := lines(os.Args[2])
	for i, configuration := range lines(os.Args[1]) {
		sink := new(consumertest.TracesSink)
		processor, err := built(known, configuration, sink)
		if err != nil {
			fmt.Println("-", i, "refused", word([]byte(err.Error())), "-")
			continue
		}
		for number, request := range requests {
			fmt.Println(number, i, outcome(processor, sink, request))
		}
	}
}
