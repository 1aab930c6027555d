#pragma once

// The stack machine behind pickle_reader: runs the operations that torch.save writes, over plain values. Used inside
// engine/formats only; failures leave as FormatFailure.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/formats/byte_cursor.h"
#include "engine/formats/pickle_reader.h"

namespace mirror::formats {

// Values point to each other by number, so that lists which contain themselves are harmless.
using PickleIndex = std::uint32_t;

enum class PickleKind { None, Bool, Integer, Real, Text, Tuple, List, Dictionary, Global, Storage, Tensor };

struct PickleValue {
    PickleKind kind = PickleKind::None;
    std::int64_t number = 0;         // Bool, Integer; of a Global, Storage or Tensor its place in the machine's list.
    std::string_view text;           // Text: a part of the pickle.
    std::vector<PickleIndex> items;  // Tuple, List; of a Dictionary key, value, key, value ...
};

class PickleMachine {
public:
    explicit PickleMachine(std::span<const std::byte> pickle);

    // The value that the whole pickle makes. The pickle must outlive the machine.
    PickleIndex run();

    const PickleValue& value(PickleIndex index) const { return values_[index]; }
    // Of a value of kind Tensor; name and dictionary are empty.
    const PickledTensor& tensor(const PickleValue& value) const;

private:
    struct Storage {
        DType dtype = DType::F32;
        std::string_view key;
        std::int64_t elements = 0;
    };

    void step(std::uint8_t operation);
    bool step_scalar(std::uint8_t operation);
    bool step_memo(std::uint8_t operation);
    bool step_container(std::uint8_t operation);
    void read_global();
    void read_long();
    void load_storage();
    void reduce();
    void build();
    void rebuild_tensor(const PickleValue& arguments);
    std::vector<std::int64_t> sizes_of(PickleIndex index, const char* what) const;

    PickleIndex add(PickleValue value);
    void push(PickleIndex index);
    void push_new(PickleKind kind, std::int64_t number = 0) { push(add({kind, number, {}, {}})); }
    void push_tuple(std::size_t count);
    PickleIndex pop();
    std::vector<PickleIndex> pop_to_mark();
    std::vector<PickleIndex> pop_many(std::size_t count);
    void append(PickleKind kind, const std::vector<PickleIndex>& items);
    void remember(std::uint64_t slot);
    void recall(std::uint64_t slot);
    const PickleValue& expect(PickleIndex index, PickleKind kind, const char* what) const;

    ByteCursor cursor_;
    std::vector<PickleValue> values_;
    std::vector<PickleIndex> stack_;
    std::vector<std::size_t> marks_;  // Heights of the stack.
    std::vector<PickleIndex> memo_;
    std::vector<Storage> storages_;
    std::vector<PickledTensor> tensors_;
};

}  // namespace mirror::formats
