"""What chats answer, as OpenAI and Ollama have it, for the OpenAPI document. The endpoints make the objects themselves.

Listed with their operations in `webui.api.chat_operations`; a test compares them with what is really answered.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType


class ProblemOfChat(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's error object. `param`: the field that is wrong."""

    message: str
    type: str
    param: str | None
    code: str


class ChatRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing was started."""

    error: ProblemOfChat


class ChatModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model: the tier at which a chat begins."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ChatModelList(msgspec.Struct, frozen=True, kw_only=True):
    """The models."""

    object: Literal["list"]
    data: list[ChatModel]


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What was said."""

    role: Literal["assistant"]
    content: str
    refusal: str | None = None


class ChatChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The one answer."""

    index: int
    message: ChatMessage
    logprobs: None = None
    finish_reason: Literal["stop"]


class ChatUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, over the whole chain."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]


class ChatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is not streamed."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | UnsetType = UNSET


class OllamaVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version of Ollama's API that is spoken."""

    version: str


class OllamaTag(msgspec.Struct, frozen=True, kw_only=True):
    """A model, by Ollama's name."""

    name: str
    model: str
    modified_at: str
    size: int
    digest: str
    details: dict[str, Any]


class OllamaTags(msgspec.Struct, frozen=True, kw_only=True):
    """The models."""

    models: list[OllamaTag]


class OllamaWords(msgspec.Struct, frozen=True, kw_only=True):
    """A message."""

    role: Literal["assistant"]
    content: str


class OllamaEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What both of Ollama's answers have; counts only where the sessions have told them."""

    model: str
    created_at: str
    done: bool
    done_reason: str
    total_duration: int
    prompt_eval_count: int | UnsetType = UNSET
    eval_count: int | UnsetType = UNSET


class OllamaChatAnswer(OllamaEnd, frozen=True, kw_only=True):
    """A chat's answer that is not streamed."""

    message: OllamaWords


class OllamaGenerated(OllamaEnd, frozen=True, kw_only=True):
    """The same for `generate`."""

    response: str
