#pragma once

// Captions of drawn scenes as token rows.

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/text/tokenizer.h"
#include "engine/training/people/caption.h"

namespace mirror::engine::training {

// [N, length], int64; an empty text is all padding behind the end token.
at::Tensor token_rows(const Tokenizer& tokenizer, const std::vector<std::string>& texts, std::int64_t length);

}  // namespace mirror::engine::training
