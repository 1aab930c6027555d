#pragma once

// The two vocabularies of resources/tokenizers as part of the program, for checkpoints made on the spot.

#include <cstdint>
#include <string>
#include <string_view>

namespace mirror::engine {

// The bytes of a spiece.model.
std::string_view tiny_vocabulary();  // 256 pieces, ids are bytes.
std::string_view demo_vocabulary();  // 4096 pieces with T5's normalisation.

// A spiece.model for a text encoder with this many embedding rows: the larger of the two that fits, filled up with
// unused pieces. From 32,128 rows on, the last 128 stay free as T5 has them (100 for <extra_id_n>). EngineError
// (InvalidRequest) below 256 rows.
std::string vocabulary_for(std::int64_t embedding_rows);

}  // namespace mirror::engine
