# SPDX-License-Identifier: Apache-2.0
"""Makes a model that a real vLLM can load, without a hub: a random Llama of less than a million parameters, and a byte-pair tokenizer that is trained
on the standard library's sources. Its words mean nothing; the same folder has the same weights, so prefill and decode agree.

Usage: make_model.py FOLDER
"""

import pathlib
import sys
import sysconfig

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TOKENS = 1024
POSITIONS = 8192
SOURCES = 150  # files the tokenizer is trained on; more change little
CHAT_TEMPLATE = ("{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{% endfor %}"
                 "{% if add_generation_prompt %}<|assistant|>\n{% endif %}")


def make_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=TOKENS, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    sources = sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("*.py"))[:SOURCES]
    tokenizer.train([str(path) for path in sources], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", model_max_length=POSITIONS)
    fast.chat_template = CHAT_TEMPLATE
    return fast


def make_model():
    torch.manual_seed(1)
    config = LlamaConfig(vocab_size=TOKENS, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4,
                         max_position_embeddings=POSITIONS, bos_token_id=0, eos_token_id=1, tie_word_embeddings=False)
    return LlamaForCausalLM(config)


def main():
    folder = pathlib.Path(sys.argv[1])
    make_tokenizer().save_pretrained(folder)
    model = make_model()
    model.save_pretrained(folder)
    print(f"{folder}: {sum(item.numel() for item in model.parameters())} parameters, {TOKENS} tokens")


if __name__ == "__main__":
    main()
