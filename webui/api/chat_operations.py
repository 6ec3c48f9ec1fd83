"""The operations of chats, in the protocols of OpenAI and Ollama: see `webui.api.openai` and `webui.api.ollama`.

Listed with all others in `webui.api.operations`.
"""

from webui.api import asking
from webui.api import chat_types as types
from webui.api.operation import Error, Operation
from webui.auth.rules import Access, Door

OPERATOR, KEY, TAG = Access.OPERATOR, Door.KEY, "chat"
SSE, NDJSON = "text/event-stream", "application/x-ndjson"
CHATS = (
    Operation(
        "GET", "/v1/models", "api.openai:models", OPERATOR, TAG, "The models: the tier at which a chat begins",
        types.ChatModelList, raw=True, error=types.ChatRefused, door=KEY,
    ),
    Operation(
        "GET", "/v1/models/{model}", "api.openai:model", OPERATOR, TAG, "One model", types.ChatModel, raw=True,
        errors=(400,), error=types.ChatRefused, door=KEY,
    ),
    Operation(
        "POST", "/v1/chat/completions", "api.openai:complete", OPERATOR, TAG,
        "OpenAI's chat: starts a session with the user's last words; streamed where `stream` says so",
        types.ChatAnswer, body=asking.Completion, raw=True, errors=(404,), error=types.ChatRefused, door=KEY,
        streamed=SSE,
    ),
    Operation(
        "GET", "/api/version", "api.ollama:version", OPERATOR, TAG, "The version of Ollama's API that is spoken",
        types.OllamaVersion, raw=True, error=Error, door=KEY,
    ),
    Operation(
        "GET", "/api/tags", "api.ollama:tags", OPERATOR, TAG, "The models, by Ollama's names", types.OllamaTags,
        raw=True, error=Error, door=KEY,
    ),
    Operation(
        "POST", "/api/chat", "api.ollama:chat", OPERATOR, TAG,
        "Ollama's chat: starts a session with the user's last words; streamed unless `stream` is false",
        types.OllamaChatAnswer, body=asking.OllamaChat, raw=True, errors=(404,), error=Error, door=KEY,
        streamed=NDJSON,
    ),
    Operation(
        "POST", "/api/generate", "api.ollama:generate", OPERATOR, TAG,
        "The same for one prompt; an empty one starts nothing", types.OllamaGenerated, body=asking.OllamaGenerate,
        raw=True, errors=(404,), error=Error, door=KEY, streamed=NDJSON,
    ),
)  # fmt: skip
