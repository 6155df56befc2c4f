"""The parameters that OpenAI knows for each object; any other is refused."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


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
