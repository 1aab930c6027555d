#pragma once

// Text to T5 token ids: SentencePiece unigram with our own reader of spiece.model, and the special tokens that
// transformers' T5Tokenizer splits out before it. No lower-casing, no cleaning, no prefix.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::engine {

// One token and the bytes of the original UTF-8 text that it covers. A leading U+2581 covers the white space it stands
// for; the one in front of the whole text covers nothing.
struct Piece {
    std::int64_t id = 0;
    std::string text;
    std::size_t begin = 0;
    std::size_t end = 0;
};

// Immutable and cheap to copy; safe to use from several threads.
class Tokenizer {
public:
    // `embedding_rows` is the text encoder's vocab_size: a vocabulary larger than that is refused, and the rows left
    // over are for <extra_id_0>, <extra_id_1>, ... (at most 100). 0: not known, 100 of them.
    static Result<Tokenizer> open(const std::filesystem::path& file, std::int64_t embedding_rows = 0);
    static Result<Tokenizer> parse(std::string_view bytes, const std::string& origin, std::int64_t embedding_rows = 0);

    // Every token of `text`, without the end token.
    Result<std::vector<Piece>> tokenize(std::string_view text) const;

    // At most max_length - 1 tokens, the end token, then padding up to max_length.
    Result<std::vector<std::int64_t>> encode(std::string_view text, std::int64_t max_length) const;
    std::vector<std::int64_t> finish(std::vector<std::int64_t> ids, std::int64_t max_length) const;

    // How many of max_length positions `text` takes, counting the end token; more than max_length means it will be cut.
    Result<std::int64_t> token_count(std::string_view text) const;

    std::int64_t vocabulary_size() const;  // Pieces of the file, without <extra_id_n>.
    std::int64_t padding_id() const;
    std::int64_t end_id() const;
    std::int64_t unknown_id() const;

private:
    struct State;
    explicit Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

    std::shared_ptr<const State> state_;
};

}  // namespace mirror::engine
