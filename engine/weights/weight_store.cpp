#include "engine/weights/weight_store.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/formats/sha256.h"
#include "engine/formats/shard_index.h"
#include "engine/weights/mapped_file.h"

namespace mirror::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndexSuffix = ".index.json";
constexpr std::uint64_t kFingerprintEnd = 4096;  // Bytes of each end of a tensor.
constexpr std::size_t kNamesInMessage = 3;

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

// transformers prefers the single file, diffusers the index (their loading code).
fs::path file_in_folder(const fs::path& folder, const std::string& stem) {
    const fs::path single = folder / (stem + ".safetensors");
    const fs::path index = folder / (stem + ".safetensors" + std::string(kIndexSuffix));
    const bool prefers_single = stem == "model";
    if (is_there(single) && (prefers_single || !is_there(index))) return single;
    if (is_there(index)) return index;
    if (!is_folder(folder))
        throw EngineError(ErrorCode::MissingFile, "There is no folder " + path_for_message(folder) + ".");
    throw EngineError(ErrorCode::MissingFile,
                      "There is no " + single.filename().string() + " in " + path_for_message(folder) + ".");
}

bool matches(std::string_view pattern, std::string_view name) {
    if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
    if (pattern.starts_with('*')) return name.ends_with(pattern.substr(1));
    return name == pattern;
}

std::string list_of(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kNamesInMessage); ++i) {
        if (i > 0) text += ", ";
        text += escape_for_message(names[i], 48);
    }
    if (names.size() > kNamesInMessage) text += " and " + std::to_string(names.size() - kNamesInMessage) + " more";
    return text;
}

bool is_finite(const at::Tensor& tensor) {
    constexpr std::int64_t kPiece = std::int64_t{1} << 18;  // The comparison makes a tensor of its own.
    const at::Tensor flat = tensor.reshape({-1});
    for (std::int64_t at = 0; at < flat.numel(); at += kPiece) {
        if (!flat.slice(0, at, at + kPiece).isfinite().all().item<bool>()) return false;
    }
    return true;
}

void refuse_missing_shards(const fs::path& file, const formats::ShardIndex& index) {
    std::vector<std::string> missing;
    for (const auto& name : index.files) {
        if (!is_there(file.parent_path() / name)) missing.push_back(name);
    }
    if (missing.empty()) return;
    throw EngineError(ErrorCode::MissingFile,
                      path_for_message(file) + " names files that are missing: " + list_of(missing) + ".");
}

std::string quoted_tensor(const std::string& name) { return "tensor " + escape_for_message(name, 64); }

}  // namespace

at::ScalarType scalar_type(formats::DType dtype) {
    using formats::DType;
    switch (dtype) {
        case DType::F64:
            return at::kDouble;
        case DType::F32:
            return at::kFloat;
        case DType::F16:
            return at::kHalf;
        case DType::BF16:
            return at::kBFloat16;
        case DType::I64:
            return at::kLong;
        case DType::I32:
            return at::kInt;
        case DType::I16:
            return at::kShort;
        case DType::I8:
            return at::kChar;
        case DType::U8:
            return at::kByte;
        case DType::Bool:
            return at::kBool;
    }
    return at::kFloat;
}

formats::DType dtype_of(at::ScalarType type) {
    using formats::DType;
    for (const DType dtype : {DType::F64, DType::F32, DType::F16, DType::BF16, DType::I64, DType::I32, DType::I16,
                              DType::I8, DType::U8, DType::Bool}) {
        if (scalar_type(dtype) == type) return dtype;
    }
    throw EngineError(ErrorCode::Internal,
                      std::string("A tensor of type ") + c10::toString(type) + " cannot be saved.");
}

std::shared_ptr<WeightStore> WeightStore::open(const fs::path& folder_or_file, const std::string& stem,
                                               const WeightStoreOptions& options) {
    const bool is_file = is_there(folder_or_file) && !is_folder(folder_or_file);
    const fs::path file = is_file ? folder_or_file : file_in_folder(folder_or_file, stem);
    std::shared_ptr<WeightStore> store(new WeightStore(file, options));
    if (file.native().ends_with(kIndexSuffix)) {
        store->open_shards();
    } else {
        store->open_single();
    }
    return store;
}

WeightStore::WeightStore(fs::path file, WeightStoreOptions options)
    : file_(std::move(file)), options_(std::move(options)) {}

formats::SafetensorsHeader WeightStore::add_shard(std::shared_ptr<MappedFile> mapped) {
    auto header = value_or_throw(formats::parse_safetensors(mapped->bytes(), mapped->path().native()));
    const std::size_t shard = shards_.size();
    for (const auto& entry : header.tensors) {
        std::string name = entry.name;
        if (!options_.optional_prefix.empty() && name.starts_with(options_.optional_prefix))
            name.erase(0, options_.optional_prefix.size());
        const bool ignored = std::any_of(options_.ignored.begin(), options_.ignored.end(),
                                         [&](const std::string& pattern) { return matches(pattern, name); });
        const auto [place, added] = places_.emplace(name, Place{entry, shard, false, ignored});
        if (!added) {
            const std::string where = place->second.shard == shard ? "twice in " : "in two shards of ";
            throw EngineError(ErrorCode::MalformedFile,
                              "The " + quoted_tensor(name) + " is " + where + path_for_message(file_) + ".");
        }
    }
    if (shard == 0) metadata_ = header.metadata;
    shards_.push_back({std::move(mapped), header.data_begin});
    return header;
}

void WeightStore::open_single() { add_shard(value_or_throw(MappedFile::open(file_))); }

void WeightStore::open_shards() {
    const auto text = value_or_throw(read_whole_file(file_, limits::kShardIndexBytes));
    const auto index = value_or_throw(formats::parse_shard_index(text, file_.native()));
    const fs::path folder = file_.parent_path();
    refuse_missing_shards(file_, index);
    // In a model cache everything is a link, the index too; otherwise a link beside it is not the user's doing.
    std::error_code unknown;
    const Links links = fs::is_symlink(file_, unknown) ? Links::Follow : Links::Refuse;
    std::size_t found = 0;
    for (const auto& name : index.files) {
        const auto header = add_shard(value_or_throw(MappedFile::open(folder / name, links)));
        if (options_.same_metadata && header.metadata != metadata_) {
            throw EngineError(ErrorCode::MalformedFile, path_for_message(folder / name) + " has other metadata than " +
                                                            index.files.front() + ".");
        }
        for (const auto& entry : header.tensors) {
            const auto listed = index.file_of.find(entry.name);
            if (listed == index.file_of.end() || listed->second != name) {
                throw EngineError(ErrorCode::MalformedFile, "The " + quoted_tensor(entry.name) + " is in " +
                                                                path_for_message(folder / name) +
                                                                " but its index does not say so.");
            }
        }
        found += header.tensors.size();
    }
    if (found == index.file_of.size()) return;
    for (const auto& [name, file] : index.file_of) {
        const auto holds = [&, wanted = name](const auto& place) { return place.second.entry.name == wanted; };
        if (std::any_of(places_.begin(), places_.end(), holds)) continue;
        throw EngineError(ErrorCode::MissingTensor, "The " + quoted_tensor(name) + " is not in " +
                                                        path_for_message(folder / file) + " though the index says so.");
    }
}

const WeightStore::Place* WeightStore::find(const std::string& name) const {
    const auto at = places_.find(name);
    return at == places_.end() || at->second.ignored ? nullptr : &at->second;
}

bool WeightStore::has(const std::string& name) const { return find(name) != nullptr; }

const formats::TensorEntry* WeightStore::entry(const std::string& name) const {
    const Place* place = find(name);
    return place == nullptr ? nullptr : &place->entry;
}

std::vector<std::int64_t> WeightStore::shape_of(const std::string& name) const {
    const Place* place = find(name);
    return place == nullptr ? std::vector<std::int64_t>{} : place->entry.shape;
}

const WeightStore::Place& WeightStore::find_or_throw(const std::string& name) const {
    const Place* place = find(name);
    if (place != nullptr) return *place;
    throw EngineError(ErrorCode::MissingTensor,
                      "The " + quoted_tensor(name) + " is missing from " + path_for_message(file_) + ".");
}

at::Tensor WeightStore::alias(const Place& place) const {
    const Shard& shard = shards_[place.shard];
    const auto type = at::TensorOptions().dtype(scalar_type(place.entry.dtype));
    const std::size_t length = place.entry.bytes();
    if (length == 0) return at::empty(place.entry.shape, type);
    const std::size_t offset = shard.data_begin + place.entry.begin;
    if (options_.bring_in) value_or_throw(shard.file->bring_in(offset, length));
    const std::byte* start = shard.file->bytes().data() + offset;
    // The tensor keeps the mapping alive. ATen wants a pointer without const; nothing may write to weights.
    auto* data = const_cast<std::byte*>(start);
    const auto let_go = [file = shard.file, offset, length](void*) { file->let_go(offset, length); };
    const at::Tensor tensor = at::from_blob(data, place.entry.shape, let_go, type);
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(start) % formats::bytes_of(place.entry.dtype) == 0;
    return is_aligned ? tensor : tensor.clone();
}

void WeightStore::check_finite(Place& place, const std::string& name, const at::Tensor& tensor) const {
    if (!options_.finite || place.known_finite || !tensor.is_floating_point()) return;
    if (!is_finite(tensor)) {
        throw EngineError(ErrorCode::MalformedFile, "The " + quoted_tensor(name) + " in " +
                                                        path_for_message(shards_[place.shard].file->path()) +
                                                        " holds numbers that are NaN or infinite.");
    }
    place.known_finite = true;
}

at::Tensor WeightStore::read_any(const std::string& name) {
    if (options_.stop.stop_requested()) throw EngineError(ErrorCode::Cancelled, "stopped by the user");
    find_or_throw(name);
    Place& place = places_.find(name)->second;
    place.asked = true;
    const at::Tensor tensor = alias(place);
    check_finite(place, name, tensor);
    return tensor;
}

void WeightStore::check(const std::string& name, at::IntArrayRef shape) const {
    const Place& place = find_or_throw(name);
    place.asked = true;
    if (shape.equals(place.entry.shape)) return;
    throw EngineError(ErrorCode::ShapeMismatch,
                      "The " + quoted_tensor(name) + " in " + path_for_message(shards_[place.shard].file->path()) +
                          " has the shape " + formats::shape_text(place.entry.shape) + ", expected " +
                          formats::shape_text({shape.data(), shape.size()}) + ".");
}

at::Tensor WeightStore::read(const std::string& name, at::IntArrayRef shape) {
    check(name, shape);
    return read_any(name);
}

std::vector<std::string> WeightStore::names() const {
    std::vector<std::string> names;
    for (const auto& [name, place] : places_) {
        if (!place.ignored) names.push_back(name);
    }
    return names;
}

std::vector<std::string> WeightStore::unread() const {
    std::vector<std::string> names;
    for (const auto& [name, place] : places_) {
        if (!place.ignored && !place.asked) names.push_back(name);
    }
    return names;
}

std::uint64_t WeightStore::bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [name, place] : places_) bytes += place.entry.bytes();
    return bytes;
}

std::string WeightStore::fingerprint() const {
    std::vector<const Place*> order;
    for (const auto& [name, place] : places_) order.push_back(&place);
    std::sort(order.begin(), order.end(), [](const Place* a, const Place* b) { return a->entry.name < b->entry.name; });
    formats::Sha256 hash;
    const auto add = [&](std::string_view field) {
        hash.update(field);
        hash.update(std::string_view("\0", 1));
    };
    for (const Place* place : order) {
        std::string shape;
        for (const std::int64_t size : place->entry.shape) {
            if (!shape.empty()) shape += ',';
            shape += std::to_string(size);
        }
        add(place->entry.name);
        add(formats::to_text(place->entry.dtype));
        add(shape);
        const Shard& shard = shards_[place->shard];
        const auto data = shard.file->bytes().subspan(shard.data_begin + place->entry.begin, place->entry.bytes());
        if (data.size() <= 2 * kFingerprintEnd) {
            hash.update(data);
        } else {
            hash.update(data.first(kFingerprintEnd));
            hash.update(data.last(kFingerprintEnd));
        }
    }
    return hash.hex_digest();
}

}  // namespace mirror::engine
