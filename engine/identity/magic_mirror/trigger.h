#pragma once

// The prompt protocol: finds the trigger and the class word before it, cleans the prompt, and says which text tokens
// carry the identity.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>

#include "engine/core/result.h"

namespace mirror::engine {
class Tokenizer;
}

namespace mirror::engine::magic_mirror {

// Words that stand for a person when no trigger marks one.
std::span<const std::string_view> class_words();

// Bytes of `cleaned`; an empty class word means that nothing is marked.
struct TriggerParse {
    std::string cleaned;
    std::size_t class_begin = 0;
    std::size_t class_end = 0;

    bool has_class_word() const { return class_end > class_begin; }
};

// Errors (InvalidRequest): two or more triggers, a trigger without a class word directly before it, text that is not
// UTF-8.
Result<TriggerParse> parse_trigger(std::string_view prompt, std::string_view trigger,
                                   std::span<const std::string_view> classes = class_words());

struct IdentityPrompt {
    at::Tensor input_ids;        // [1, L] i64, the cleaned prompt with the copies of the class word
    at::Tensor identity_mask;    // [1, L] i64, ones at the copies
    at::Tensor plain_input_ids;  // [1, L] i64, the cleaned prompt without copies
    std::string cleaned;
    std::vector<std::string> warnings;  // One sentence each.
};

// `copies` is K*N, or K with multi_ref_text=mean. EngineError as parse_trigger.
IdentityPrompt tokenize_identity_prompt(const Tokenizer& tokenizer, std::string_view prompt, std::string_view trigger,
                                        std::int64_t copies, std::int64_t max_length);

}  // namespace mirror::engine::magic_mirror
