#pragma once

// The vocabularies of resources/tokenizers as part of the program, for checkpoints made on the spot.

#include <cstdint>
#include <string>
#include <string_view>

namespace mirror::engine {

// The bytes of a spiece.model.
std::string_view tiny_vocabulary();  // 256 pieces, ids are bytes.
std::string_view demo_vocabulary();  // 4096 pieces with T5's normalisation.
// 3243 pieces: the words of the captions of drawn people and the most common other ones, whole; T5's control pieces.
std::string_view people_vocabulary();

enum class VocabularyKind { General, People };

// A spiece.model for a text encoder with this many embedding rows, filled up with unused pieces: the one of drawn
// people, or the larger of the general ones that fits. From 32,128 rows on, the last 128 stay free as T5 has them (100
// for <extra_id_n>). EngineError (InvalidRequest) if there are too few rows.
std::string vocabulary_for(VocabularyKind kind, std::int64_t embedding_rows);

}  // namespace mirror::engine
