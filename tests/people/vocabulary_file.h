#pragma once

// The captions' vocabulary as the bytes of a spiece.model: joins engine/training/people and engine/text.

#include <fstream>
#include <string>
#include <vector>

#include "engine/text/sentencepiece_model.h"
#include "engine/training/people/vocabulary.h"

namespace mirror::people_test {

inline std::vector<std::string> words_of(const std::string& file) {
    std::ifstream in(file);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

inline std::string vocabulary_bytes(const std::vector<std::string>& common_words) {
    using engine::PieceType;
    const people::CaptionVocabulary vocabulary = people::caption_vocabulary(common_words);
    engine::SentencePieceModel model;
    for (const auto& piece : vocabulary.pieces) {
        const bool is_control = piece.text == "<pad>" || piece.text == "</s>";
        const PieceType type = is_control              ? PieceType::Control
                               : piece.text == "<unk>" ? PieceType::Unknown
                                                       : PieceType::Normal;
        model.pieces.push_back({piece.text, piece.score, type});
    }
    model.normalizer_name = "lower_case_ascii";
    model.precompiled_charsmap = vocabulary.charsmap;
    return engine::write_sentencepiece_model(model);
}

}  // namespace mirror::people_test
