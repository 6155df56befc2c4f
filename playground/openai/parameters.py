"""The parameters that OpenAI knows for each object, and of which kind their values are; any other is refused."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def kind_of(name: str) -> tuple[str, tuple[type, ...]] | None:
    """The kind of a parameter as OpenAI's errors name it, and in Python; None where anything may come."""
    return next(((said, kinds) for said, kinds, names in _KINDS if name in names), None)


_KINDS: tuple[tuple[str, tuple[type, ...], frozenset[str]], ...] = (
    (
        "a string",
        (str,),
        _names("""
        additional_instructions assistant_id description instructions model name previous_response_id reasoning_effort
        role safety_identifier
    """),
    ),
    ("an integer", (int,), _names("max_completion_tokens max_output_tokens max_prompt_tokens max_tokens")),
    ("a boolean", (bool,), _names("background parallel_tool_calls store stream")),
    ("an object", (dict,), _names("metadata reasoning stream_options text thread tool_resources")),
    ("an array", (list,), _names("additional_messages attachments items messages tool_outputs tools")),
    ("a string or an object", (str, dict), _names("conversation")),
)
RESPONSE = _names("""
    access_programs background context_management conversation image include input instructions max_output_tokens
    max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options
    temperature text tool_choice tools top_logprobs top_p truncation user
""")
COMPLETION = _names("""
    messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
    metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier
    stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
""")
ASSISTANT = _names("""
    model description instructions metadata name reasoning_effort response_format temperature tool_resources tools top_p
""")
RUN = _names("""
    assistant_id include additional_instructions additional_messages instructions max_completion_tokens
    max_prompt_tokens metadata model parallel_tool_calls reasoning_effort response_format stream temperature tool_choice
    tools top_p truncation_strategy
""")
THREAD_AND_RUN = (RUN - {"additional_instructions", "additional_messages", "include", "reasoning_effort"}) | {
    "thread",
    "tool_resources",
}
