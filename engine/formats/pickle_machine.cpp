#include "engine/formats/pickle_machine.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/pickle_operations.h"

namespace mirror::formats {
namespace {

constexpr std::uint8_t kProtocol = 2;  // torch.save's.
constexpr PickleIndex kNothing = std::numeric_limits<PickleIndex>::max();

enum class KnownGlobal { OrderedDict, RebuildTensor, StorageType };

struct GlobalRow {
    std::string_view module;
    std::string_view name;
    KnownGlobal global;
    DType dtype;  // Of a storage type.
};
constexpr std::array<GlobalRow, 12> kGlobals = {
    {{"collections", "OrderedDict", KnownGlobal::OrderedDict, DType::F32},
     {"torch._utils", "_rebuild_tensor_v2", KnownGlobal::RebuildTensor, DType::F32},
     {"torch", "DoubleStorage", KnownGlobal::StorageType, DType::F64},
     {"torch", "FloatStorage", KnownGlobal::StorageType, DType::F32},
     {"torch", "HalfStorage", KnownGlobal::StorageType, DType::F16},
     {"torch", "BFloat16Storage", KnownGlobal::StorageType, DType::BF16},
     {"torch", "LongStorage", KnownGlobal::StorageType, DType::I64},
     {"torch", "IntStorage", KnownGlobal::StorageType, DType::I32},
     {"torch", "ShortStorage", KnownGlobal::StorageType, DType::I16},
     {"torch", "CharStorage", KnownGlobal::StorageType, DType::I8},
     {"torch", "ByteStorage", KnownGlobal::StorageType, DType::U8},
     {"torch", "BoolStorage", KnownGlobal::StorageType, DType::Bool}}};

const GlobalRow& row_of(const PickleValue& global) { return kGlobals[static_cast<std::size_t>(global.number)]; }

// Every element in a place of its own, none before the start.
bool strides_are_apart(const PickledTensor& tensor) {
    std::vector<std::size_t> order(tensor.shape.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::erase_if(order, [&](std::size_t i) { return tensor.shape[i] == 1; });
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return tensor.stride[a] < tensor.stride[b]; });
    std::int64_t reach = 1;  // Elements that the finer dimensions span.
    for (const std::size_t i : order) {
        std::int64_t span = 0;
        if (tensor.stride[i] < reach) return false;
        if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.stride[i], &span)) return false;
        if (__builtin_add_overflow(reach, span, &reach)) return false;
    }
    return true;
}

// One behind the last element that the tensor touches, or nothing if that does not fit into 64 bits.
std::optional<std::int64_t> end_of(const PickledTensor& tensor) {
    std::int64_t end = tensor.storage_offset;
    const bool is_empty = std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
    if (is_empty) return end;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
        std::int64_t span = 0;
        if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.stride[i], &span)) return std::nullopt;
        if (__builtin_add_overflow(end, span, &end)) return std::nullopt;
    }
    if (end == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return end + 1;
}

void check_tensor(const PickledTensor& tensor) {
    if (tensor.shape.size() != tensor.stride.size()) throw FormatFailure("a tensor has more sizes than strides");
    if (tensor.shape.size() > limits::kTensorRank) throw FormatFailure("a tensor has more than 8 dimensions");
    if (tensor.storage_offset < 0 || !element_count(tensor.shape)) throw FormatFailure("a tensor has impossible sizes");
    const auto end = end_of(tensor);
    const bool is_empty = element_count(tensor.shape) == 0u;
    if (!is_empty && !strides_are_apart(tensor)) throw FormatFailure("a tensor's strides overlap");
    if (!end || *end > tensor.storage_elements)
        throw FormatFailure("a tensor " + shape_text(tensor.shape) + " reaches beyond its storage of " +
                            std::to_string(tensor.storage_elements) + " elements");
}

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> pickle) : cursor_(pickle, "its pickle") {
    if (pickle.size() > limits::kPickleBytes) throw FormatFailure("its pickle is larger than 16 MiB");
}

PickleIndex PickleMachine::run() {
    if (cursor_.u8() != pickle::kProto) throw FormatFailure("its pickle does not begin as one");
    const int protocol = cursor_.u8();
    if (protocol != kProtocol)
        throw FormatFailure("its pickle has protocol " + std::to_string(protocol) + ", torch.save writes 2");
    for (std::uint8_t operation = cursor_.u8(); operation != pickle::kStop; operation = cursor_.u8()) step(operation);
    const PickleIndex result = pop();
    if (!stack_.empty() || !marks_.empty()) throw FormatFailure("its pickle leaves values behind");
    if (cursor_.left() != 0) throw FormatFailure("something follows the end of its pickle");
    return result;
}

const PickledTensor& PickleMachine::tensor(const PickleValue& value) const {
    return tensors_[static_cast<std::size_t>(value.number)];
}

void PickleMachine::step(std::uint8_t operation) {
    if (step_scalar(operation) || step_memo(operation) || step_container(operation)) return;
    switch (operation) {
        case pickle::kGlobal:
            return read_global();
        case pickle::kBinPersId:
            return load_storage();
        case pickle::kReduce:
            return reduce();
        case pickle::kBuild:
            return build();
        default:
            throw FormatFailure("its pickle uses " + pickle::operation_name(operation) +
                                ", which is refused; nothing of it was executed");
    }
}

bool PickleMachine::step_scalar(std::uint8_t operation) {
    switch (operation) {
        case pickle::kNone:
            push_new(PickleKind::None);
            return true;
        case pickle::kNewTrue:
            push_new(PickleKind::Bool, 1);
            return true;
        case pickle::kNewFalse:
            push_new(PickleKind::Bool, 0);
            return true;
        case pickle::kBinInt:
            push_new(PickleKind::Integer, static_cast<std::int32_t>(cursor_.u32()));
            return true;
        case pickle::kBinInt1:
            push_new(PickleKind::Integer, cursor_.u8());
            return true;
        case pickle::kBinInt2:
            push_new(PickleKind::Integer, cursor_.u16());
            return true;
        case pickle::kLong1:
            read_long();
            return true;
        case pickle::kBinFloat:
            cursor_.take(8);
            push_new(PickleKind::Real);  // No tensor depends on one.
            return true;
        case pickle::kBinUnicode: {
            const std::string_view text = cursor_.text(cursor_.u32());
            if (!is_utf8(text)) throw FormatFailure("a text in its pickle is not UTF-8");
            push(add({PickleKind::Text, 0, text, {}}));
            return true;
        }
        default:
            return false;
    }
}

bool PickleMachine::step_memo(std::uint8_t operation) {
    switch (operation) {
        case pickle::kBinPut:
            remember(cursor_.u8());
            return true;
        case pickle::kLongBinPut:
            remember(cursor_.u32());
            return true;
        case pickle::kBinGet:
            recall(cursor_.u8());
            return true;
        case pickle::kLongBinGet:
            recall(cursor_.u32());
            return true;
        default:
            return false;
    }
}

bool PickleMachine::step_container(std::uint8_t operation) {
    switch (operation) {
        case pickle::kMark:
            if (marks_.size() == limits::kPickleStack) throw FormatFailure("its pickle needs too deep a stack");
            marks_.push_back(stack_.size());
            return true;
        case pickle::kEmptyTuple:
            push_new(PickleKind::Tuple);
            return true;
        case pickle::kEmptyList:
            push_new(PickleKind::List);
            return true;
        case pickle::kEmptyDict:
            push_new(PickleKind::Dictionary);
            return true;
        case pickle::kTuple1:
            push_tuple(1);
            return true;
        case pickle::kTuple2:
            push_tuple(2);
            return true;
        case pickle::kTuple3:
            push_tuple(3);
            return true;
        case pickle::kTuple:
            push(add({PickleKind::Tuple, 0, {}, pop_to_mark()}));
            return true;
        case pickle::kAppend:
            append(PickleKind::List, pop_many(1));
            return true;
        case pickle::kAppends:
            append(PickleKind::List, pop_to_mark());
            return true;
        case pickle::kSetItem:
            append(PickleKind::Dictionary, pop_many(2));
            return true;
        case pickle::kSetItems:
            append(PickleKind::Dictionary, pop_to_mark());
            return true;
        default:
            return false;
    }
}

// Two lines, module and name; only those in the table are known.
void PickleMachine::read_global() {
    const auto line = [&] {
        std::string text;
        for (char c = static_cast<char>(cursor_.u8()); c != '\n'; c = static_cast<char>(cursor_.u8())) text += c;
        return text;
    };
    const std::string module = line();
    const std::string name = line();
    const auto row = std::find_if(kGlobals.begin(), kGlobals.end(),
                                  [&](const GlobalRow& each) { return each.module == module && each.name == name; });
    if (row == kGlobals.end())
        throw FormatFailure("its pickle asks for " + escape_for_message(module + "." + name, 60) +
                            ", which is refused; nothing of it was executed");
    push_new(PickleKind::Global, row - kGlobals.begin());
}

void PickleMachine::read_long() {
    const auto bytes = cursor_.take(cursor_.u8());
    if (bytes.size() > 8) throw FormatFailure("a number in its pickle does not fit into 64 bits");
    const bool negative = !bytes.empty() && std::to_integer<unsigned>(bytes.back()) >= 0x80;
    std::uint64_t number = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    push_new(PickleKind::Integer, static_cast<std::int64_t>(number));
}

// ('storage', type, key, device, elements): torch.serialization's name for the data of tensors.
void PickleMachine::load_storage() {
    const auto items = expect(pop(), PickleKind::Tuple, "the description of a storage").items;
    if (items.size() != 5 || expect(items[0], PickleKind::Text, "a storage's mark").text != "storage")
        throw FormatFailure("its pickle describes a storage in an unknown way");
    const GlobalRow& type = row_of(expect(items[1], PickleKind::Global, "a storage's type"));
    if (type.global != KnownGlobal::StorageType) throw FormatFailure("a storage's type is none");
    Storage storage{type.dtype, expect(items[2], PickleKind::Text, "a storage's key").text,
                    expect(items[4], PickleKind::Integer, "a storage's size").number};
    const bool plain = !storage.key.empty() && storage.key.size() <= 20 &&
                       storage.key.find_first_not_of("0123456789") == std::string_view::npos;
    if (!plain) throw FormatFailure("the storage key " + escape_for_message(storage.key, 40) + " is no number");
    if (storage.elements < 0) throw FormatFailure("a storage has a negative size");
    storages_.push_back(storage);
    push_new(PickleKind::Storage, static_cast<std::int64_t>(storages_.size() - 1));
}

// A call, of one of the two functions that are known.
void PickleMachine::reduce() {
    const PickleIndex arguments_at = pop();
    const PickleIndex callable_at = pop();
    const PickleValue arguments = expect(arguments_at, PickleKind::Tuple, "what a function is called with");
    const GlobalRow& called = row_of(expect(callable_at, PickleKind::Global, "what is called"));
    if (called.global == KnownGlobal::RebuildTensor) return rebuild_tensor(arguments);
    if (called.global != KnownGlobal::OrderedDict || !arguments.items.empty())
        throw FormatFailure("its pickle calls " + std::string(called.name) + " in an unknown way");
    push_new(PickleKind::Dictionary);
}

// Attributes of an ordered dictionary (the versions of a module's parts): checked for their kind, then dropped.
void PickleMachine::build() {
    expect(pop(), PickleKind::Dictionary, "the state of an object");
    if (stack_.empty()) throw FormatFailure("its pickle takes a value from an empty stack");
    expect(stack_.back(), PickleKind::Dictionary, "an object with a state");
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])
void PickleMachine::rebuild_tensor(const PickleValue& arguments) {
    const auto& items = arguments.items;
    if (items.size() != 6 && items.size() != 7) throw FormatFailure("a tensor is described in an unknown way");
    const Storage& storage =
        storages_[static_cast<std::size_t>(expect(items[0], PickleKind::Storage, "a tensor's storage").number)];
    PickledTensor tensor;
    tensor.dtype = storage.dtype;
    tensor.storage = storage.key;
    tensor.storage_elements = storage.elements;
    tensor.storage_offset = expect(items[1], PickleKind::Integer, "a tensor's offset").number;
    tensor.shape = sizes_of(items[2], "a tensor's sizes");
    tensor.stride = sizes_of(items[3], "a tensor's strides");
    expect(items[4], PickleKind::Bool, "a tensor's requires_grad");
    if (!expect(items[5], PickleKind::Dictionary, "a tensor's hooks").items.empty())
        throw FormatFailure("a tensor has hooks, which are refused");
    check_tensor(tensor);
    tensors_.push_back(std::move(tensor));
    push_new(PickleKind::Tensor, static_cast<std::int64_t>(tensors_.size() - 1));
}

std::vector<std::int64_t> PickleMachine::sizes_of(PickleIndex index, const char* what) const {
    std::vector<std::int64_t> sizes;
    for (const PickleIndex item : expect(index, PickleKind::Tuple, what).items)
        sizes.push_back(expect(item, PickleKind::Integer, what).number);
    return sizes;
}

PickleIndex PickleMachine::add(PickleValue value) {
    if (values_.size() == limits::kPickleValues) throw FormatFailure("its pickle makes more than 1,000,000 values");
    values_.push_back(std::move(value));
    return static_cast<PickleIndex>(values_.size() - 1);
}

void PickleMachine::push(PickleIndex index) {
    if (stack_.size() == limits::kPickleStack) throw FormatFailure("its pickle needs too deep a stack");
    stack_.push_back(index);
}

void PickleMachine::push_tuple(std::size_t count) { push(add({PickleKind::Tuple, 0, {}, pop_many(count)})); }

PickleIndex PickleMachine::pop() { return pop_many(1)[0]; }

std::vector<PickleIndex> PickleMachine::pop_to_mark() {
    if (marks_.empty()) throw FormatFailure("its pickle lacks a mark");
    const std::size_t height = marks_.back();
    marks_.pop_back();
    return pop_many(stack_.size() - height);
}

// Nothing below the last mark may be taken.
std::vector<PickleIndex> PickleMachine::pop_many(std::size_t count) {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) throw FormatFailure("its pickle takes a value from an empty stack");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<PickleIndex> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    return items;
}

void PickleMachine::append(PickleKind kind, const std::vector<PickleIndex>& items) {
    if (stack_.empty()) throw FormatFailure("its pickle takes a value from an empty stack");
    const bool pairs = kind == PickleKind::Dictionary;
    expect(stack_.back(), kind, pairs ? "what a key is set in" : "what is appended to");
    if (pairs && items.size() % 2 != 0) throw FormatFailure("its pickle sets a key without a value");
    auto& target = values_[stack_.back()].items;
    target.insert(target.end(), items.begin(), items.end());
}

void PickleMachine::remember(std::uint64_t slot) {
    if (stack_.empty()) throw FormatFailure("its pickle takes a value from an empty stack");
    if (slot >= limits::kPickleMemo) throw FormatFailure("its pickle remembers more than 1,000,000 values");
    if (slot >= memo_.size()) memo_.resize(slot + 1, kNothing);
    memo_[slot] = stack_.back();
}

void PickleMachine::recall(std::uint64_t slot) {
    if (slot >= memo_.size() || memo_[slot] == kNothing)
        throw FormatFailure("its pickle asks for a value that it never kept");
    push(memo_[slot]);
}

const PickleValue& PickleMachine::expect(PickleIndex index, PickleKind kind, const char* what) const {
    const PickleValue& found = values_[index];
    if (found.kind != kind) throw FormatFailure(std::string(what) + " is something else");
    return found;
}

}  // namespace mirror::formats
