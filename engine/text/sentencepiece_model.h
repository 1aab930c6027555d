#pragma once

// spiece.model as values: the part of SentencePiece's ModelProto that a unigram vocabulary needs, read from untrusted
// bytes and written back.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/result.h"

namespace mirror::engine {

// The numbers are those of sentencepiece_model.proto.
enum class PieceType { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

struct VocabularyPiece {
    std::string text;
    float score = 0.0f;
    PieceType type = PieceType::Normal;
};

struct SentencePieceModel {
    std::vector<VocabularyPiece> pieces;  // The index is the id.
    std::string normalizer_name;
    std::string precompiled_charsmap;  // Empty: text is taken as it is. Checked when the normalizer is made.
    bool add_dummy_prefix = true;
    bool remove_extra_whitespaces = true;
    bool escape_whitespaces = true;
    bool byte_fallback = false;
};

// Limits on what a file may hold; the published vocabularies have 32,000 pieces of at most 16 characters.
inline constexpr std::size_t kMaxModelBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxPieceBytes = 1024;
inline constexpr std::size_t kMaxPieces = 1'000'000;

// Refuses everything that is not a usable unigram model: `origin` names it in the message. Pieces are unique and not
// empty, scores are finite, exactly one piece is unknown.
Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes, const std::string& origin);

// Bytes that parse_sentencepiece_model and SentencePiece itself read back.
std::string write_sentencepiece_model(const SentencePieceModel& model);

// Appends pieces of type Unused until there are `count`: a small vocabulary in the place of a large one. Never removes
// any.
SentencePieceModel pad_vocabulary(SentencePieceModel model, std::size_t count);

}  // namespace mirror::engine
