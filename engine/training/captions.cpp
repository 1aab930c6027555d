#include "engine/training/captions.h"

#include "engine/core/result.h"

namespace mirror::engine::training {

at::Tensor token_rows(const Tokenizer& tokenizer, const std::vector<std::string>& texts, std::int64_t length) {
    std::vector<at::Tensor> rows;
    for (const std::string& text : texts)
        rows.push_back(at::tensor(value_or_throw(tokenizer.encode(text, length)), at::kLong));
    return at::stack(rows);
}

}  // namespace mirror::engine::training
