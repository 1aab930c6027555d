#include "engine/session/prompts.h"

#include <algorithm>
#include <vector>

#include "engine/identity/magic_mirror/fusion.h"
#include "engine/identity/magic_mirror/trigger.h"

namespace mirror::engine {

namespace {

namespace mm = magic_mirror;

at::Tensor token_row(const Tokenizer& tokenizer, const std::string& text, std::int64_t length) {
    return at::tensor(value_or_throw(tokenizer.encode(text, length)), at::kLong).unsqueeze(0);
}

// `what`: "prompt"
void warn_if_cut(const Tokenizer& tokenizer, const std::string& what, const std::string& text, std::int64_t length,
                 RunContext& run) {
    const std::int64_t tokens = value_or_throw(tokenizer.token_count(text));
    if (tokens > length)
        run.warn("the " + what + " has " + std::to_string(tokens) + " tokens and is cut to " + std::to_string(length));
}

// The prompt as the base model should read it. Without a person the trigger means nothing, so a prompt that does not
// follow the protocol stays as it is.
std::string without_trigger(const std::string& prompt, const std::string& trigger) {
    const auto parsed = mm::parse_trigger(prompt, trigger);
    return parsed ? parsed.value().cleaned : prompt;
}

struct TokenRows {
    at::Tensor fused;
    at::Tensor mask;
    at::Tensor plain;
    at::Tensor negative;
};

TokenRows tokenize_prompts(const ModelFolder& folder, const GenerationRequest& request, const std::string& trigger,
                           const std::optional<PromptPerson>& person, RunContext& run) {
    const Tokenizer tokenizer = folder.tokenizer();
    const std::int64_t length = folder.transformer_config().max_text_seq_length;
    TokenRows rows;
    if (request.sampling.guidance > 1) {
        warn_if_cut(tokenizer, "negative prompt", request.prompt.negative, length, run);
        rows.negative = token_row(tokenizer, request.prompt.negative, length);
    }
    if (!person) {
        const std::string prompt = without_trigger(request.prompt.positive, trigger);
        warn_if_cut(tokenizer, "prompt", prompt, length, run);
        rows.plain = token_row(tokenizer, prompt, length);
        return rows;
    }
    const mm::Switches& switches = person->adapter->config().switches;
    std::int64_t copies = person->adapter->config().perceiver_id.tokens;
    if (switches.multi_ref_text == mm::MultiRefText::Stack)
        copies *= static_cast<std::int64_t>(request.references.size());
    const auto prompt = mm::tokenize_identity_prompt(tokenizer, request.prompt.positive, trigger, copies, length);
    for (const std::string& warning : prompt.warnings) run.warn(warning);
    rows.fused = prompt.input_ids;
    rows.mask = prompt.identity_mask;
    rows.plain = prompt.plain_input_ids;
    return rows;
}

}  // namespace

mm::IdentityPrompts encode_prompts(RunModels& models, const GenerationRequest& request, const std::string& trigger,
                                   const std::optional<PromptPerson>& person, RunContext& run) {
    run.enter(Stage::EncodePrompt);
    const Placement& placement = models.folder().placement();
    const TokenRows rows = tokenize_prompts(models.folder(), request, trigger, person, run);
    run.stop_if_asked();
    std::vector<at::Tensor> ids;
    for (const at::Tensor& row : {rows.fused, rows.plain, rows.negative})
        ids.push_back(row.defined() ? row.to(placement.device) : row);
    // The encoder is gone before anything else is loaded.
    const std::vector<at::Tensor> encoded = models.text_encoder()->encode_all(ids);
    run.stop_if_asked();
    mm::IdentityPrompts prompts{encoded[0], encoded[1], encoded[2]};
    if (person) {
        const mm::Fusion fusion(person->adapter->weights(placement) / "fuse", person->adapter->config());
        prompts.fused =
            fusion(prompts.fused, person->id_embeds, rows.mask.to(placement.device), std::min(person->strength, 1.0));
    }
    run.advance(1);
    return prompts;
}

}  // namespace mirror::engine
