#include "engine/formats/pickle_reader.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/json_cursor.h"
#include "engine/formats/pickle_machine.h"

namespace mirror::formats {
namespace {

// Goes through dictionaries within dictionaries. Each is visited once: shared ones could multiply without end.
class TensorCollector {
public:
    explicit TensorCollector(const PickleMachine& machine) : machine_(machine) {}

    void visit(PickleIndex index, const std::string& path, std::size_t depth) {
        if (depth == limits::kPickleDepth) throw FormatFailure("its dictionaries are nested too deeply");
        if (!seen_.insert(index).second) throw FormatFailure("a dictionary appears at two places");
        const auto& items = machine_.value(index).items;
        std::unordered_set<std::string_view> keys;
        for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
            const PickleValue& key = machine_.value(items[i]);
            const PickleValue& value = machine_.value(items[i + 1]);
            if (key.kind != PickleKind::Text) continue;
            if (!keys.insert(key.text).second)
                throw FormatFailure("the key " + escape_for_message(key.text, 60) + " appears twice");
            if (value.kind == PickleKind::Tensor) add(value, path, key.text);
            if (value.kind == PickleKind::Dictionary)
                visit(items[i + 1], path.empty() ? std::string(key.text) : path + "/" + std::string(key.text),
                      depth + 1);
        }
    }

    std::vector<PickledTensor> take() { return std::move(tensors_); }

private:
    void add(const PickleValue& value, const std::string& path, std::string_view name) {
        if (name.empty() || name.size() > limits::kTensorNameBytes)
            throw FormatFailure("a tensor has a name that is empty or above 1024 bytes");
        tensors_.push_back(machine_.tensor(value));
        tensors_.back().dictionary = path;
        tensors_.back().name = name;
    }

    const PickleMachine& machine_;
    std::unordered_set<PickleIndex> seen_;
    std::vector<PickledTensor> tensors_;
};

}  // namespace

Result<std::vector<PickledTensor>> read_pickled_tensors(std::span<const std::byte> pickle, std::string_view origin) {
    try {
        PickleMachine machine(pickle);
        const PickleIndex root = machine.run();
        if (machine.value(root).kind != PickleKind::Dictionary)
            throw FormatFailure("it holds no dictionary of tensors");
        TensorCollector collector(machine);
        collector.visit(root, {}, 0);
        return collector.take();
    } catch (const FormatFailure& failure) {
        return Error{ErrorCode::MalformedFile, refusal_sentence(origin, "a safe PyTorch checkpoint", failure.what())};
    }
}

}  // namespace mirror::formats
