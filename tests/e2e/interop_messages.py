# SPDX-License-Identifier: Apache-2.0
"""The messages of grpc.testing that the interoperability cases use, for protobuf's own encoder: nothing of ours reads or writes them."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto
# message: [(name, number, type, message type, repeated)]
MESSAGES = {
    "BoolValue": [("value", 1, FIELD.TYPE_BOOL, None, False)],
    "Payload": [("body", 2, FIELD.TYPE_BYTES, None, False)],
    "EchoStatus": [("code", 1, FIELD.TYPE_INT32, None, False), ("message", 2, FIELD.TYPE_STRING, None, False)],
    "SimpleRequest": [
        ("response_size", 2, FIELD.TYPE_INT32, None, False),
        ("payload", 3, FIELD.TYPE_MESSAGE, "Payload", False),
        ("response_compressed", 6, FIELD.TYPE_MESSAGE, "BoolValue", False),
        ("response_status", 7, FIELD.TYPE_MESSAGE, "EchoStatus", False),
        ("expect_compressed", 8, FIELD.TYPE_MESSAGE, "BoolValue", False),
    ],
    "SimpleResponse": [("payload", 1, FIELD.TYPE_MESSAGE, "Payload", False)],
    "StreamingInputCallRequest": [
        ("payload", 1, FIELD.TYPE_MESSAGE, "Payload", False),
        ("expect_compressed", 2, FIELD.TYPE_MESSAGE, "BoolValue", False),
    ],
    "StreamingInputCallResponse": [("aggregated_payload_size", 1, FIELD.TYPE_INT32, None, False)],
    "ResponseParameters": [("size", 1, FIELD.TYPE_INT32, None, False)],
    "StreamingOutputCallRequest": [
        ("response_parameters", 2, FIELD.TYPE_MESSAGE, "ResponseParameters", True),
        ("payload", 3, FIELD.TYPE_MESSAGE, "Payload", False),
        ("response_status", 7, FIELD.TYPE_MESSAGE, "EchoStatus", False),
    ],
    "StreamingOutputCallResponse": [("payload", 1, FIELD.TYPE_MESSAGE, "Payload", False)],
}


def _classes():
    file = descriptor_pb2.FileDescriptorProto(name="interop.proto", package="grpc.testing", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of, repeated in fields:
            label = FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL
            message.field.add(name=field, number=number, type=kind, label=label, type_name=f".grpc.testing.{of}" if of else None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"grpc.testing.{name}")) for name in MESSAGES}


_CLASSES = _classes()
SimpleRequest, SimpleResponse = _CLASSES["SimpleRequest"], _CLASSES["SimpleResponse"]
InputRequest, InputResponse = _CLASSES["StreamingInputCallRequest"], _CLASSES["StreamingInputCallResponse"]
OutputRequest, OutputResponse = _CLASSES["StreamingOutputCallRequest"], _CLASSES["StreamingOutputCallResponse"]
