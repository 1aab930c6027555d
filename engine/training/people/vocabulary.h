#pragma once

// The vocabulary that captions are encoded with: pieces and scores of a unigram model with T5's special tokens, made
// from the grammar and a list of common words. Writing it as a file is the text module's work.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mirror::people {

struct CaptionPiece {
    std::string text;
    float score = 0;
};

struct CaptionVocabulary {
    // The index is the id. 0 <pad> and 1 </s> are control pieces, 2 <unk> is the unknown one, all others are normal.
    std::vector<CaptionPiece> pieces;
    // SentencePiece's precompiled_charsmap: A to Z become a to z, nothing else changes.
    std::string charsmap;
};

// Every word of the grammar and of `common_words` (lower case) is one piece; other words fall apart into frequent
// fragments of words and single ASCII characters.
CaptionVocabulary caption_vocabulary(std::span<const std::string> common_words);

}  // namespace mirror::people
