#include "engine/training/material_set.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/core/durable_replace.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/formats/sha256.h"
#include "engine/training/material_checks.h"
#include "engine/training/material_item.h"
#include "engine/training/training_task.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kVersion = "3";  // Of what an item holds; another number makes everything anew.
constexpr std::size_t kToldOneByOne = 20;
constexpr std::size_t kIndexEvery = 32;  // New judgements between two writes of the index.
constexpr std::int64_t kPairRows = 512;  // Rows of similarities at a time.
constexpr std::size_t kMostPartners = 64;

std::vector<fs::path> files_below(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        const bool hidden = entry->path().filename().string().starts_with(".");
        if (hidden && entry->is_directory()) entry.disable_recursion_pending();
        if (!hidden && entry->is_regular_file() && kind_of(entry->path()) != MaterialKind::Other)
            files.push_back(entry->path());
    }
    if (error)
        throw EngineError(ErrorCode::MissingFile,
                          "Cannot read the folder " + path_for_message(folder) + ": " + error.message() + ".");
    std::sort(files.begin(), files.end());
    return files;
}

std::optional<std::string> content_hash(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    formats::Sha256 sum;
    std::vector<char> piece(1 << 16);
    while (stream) {
        stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        sum.update(std::string_view(piece.data(), static_cast<std::size_t>(stream.gcount())));
    }
    return stream.eof() ? std::optional(sum.hex_digest()) : std::nullopt;
}

// What was found out about files before: for every key "", or why it is no use. Beside it lie the items,
// KEY.safetensors.
class Cache {
public:
    explicit Cache(fs::path folder) : folder_(std::move(folder)) {
        value_or_throw(make_folders(folder_));
        std::ifstream stream(index(), std::ios::binary);
        const auto json = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
        if (!json.is_object()) return;
        for (const auto& [key, reason] : json.items())
            if (reason.is_string()) known_[key] = reason.get<std::string>();
    }

    std::optional<ItemOrReason> find(const std::string& key) const {
        const auto found = known_.find(key);
        if (found == known_.end()) return std::nullopt;
        if (!found->second.empty()) return ItemOrReason(Reason(found->second));
        if (std::optional<MadeItem> made = load_item(file_of(key))) return ItemOrReason(std::move(*made));
        return std::nullopt;
    }
    void add(const std::string& key, const ItemOrReason& what) {
        const auto* reason = std::get_if<Reason>(&what);
        if (reason != nullptr && !reason->lasts) return;
        if (reason == nullptr) save_item(file_of(key), std::get<MadeItem>(what));
        known_[key] = reason == nullptr ? std::string() : reason->text;
        if (++unwritten_ >= kIndexEvery) write();
    }
    void write() {
        if (unwritten_ > 0) value_or_throw(durable_replace(index(), nlohmann::json(known_).dump(1) + "\n"));
        unwritten_ = 0;
    }

private:
    fs::path index() const { return folder_ / "index.json"; }
    fs::path file_of(const std::string& key) const { return folder_ / (key + ".safetensors"); }

    fs::path folder_;
    std::map<std::string, std::string> known_;
    std::size_t unwritten_ = 0;
};

std::string quoted_cell(const std::string& text) {
    std::string cell = "\"";
    for (const char c : text) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
    return cell + "\"";
}

// What became of every file, for the report and for the user.
class Verdicts {
public:
    Verdicts(fs::path report, const std::function<void(const std::string&)>& notice)
        : report_(std::move(report)), notice_(notice) {}

    void used(const std::string& name) { rows_ += quoted_cell(name) + ",used\n"; }
    void left_out(const std::string& name, const std::string& reason) {
        std::string end = reason;
        if (!end.empty() && end.back() == '.') end.pop_back();
        rows_ += quoted_cell(name) + "," + quoted_cell(end) + "\n";
        if (++count_ <= kToldOneByOne && notice_) notice_("Left out " + escape_for_message(name) + ": " + end + ".");
    }
    void write() const {
        value_or_throw(make_folders(report_.parent_path()));
        value_or_throw(durable_replace(report_, rows_));
        if (count_ > kToldOneByOne && notice_)
            notice_(std::to_string(count_ - kToldOneByOne) + " more files are left out; " + path_for_message(report_) +
                    " says why.");
    }
    std::int64_t count() const { return static_cast<std::int64_t>(count_); }

private:
    fs::path report_;
    const std::function<void(const std::string&)>& notice_;
    std::string rows_ = "file,verdict\n";
    std::size_t count_ = 0;
};

void check_sources(const MaterialOptions& options, const MaterialSources& sources) {
    std::error_code ignored;
    if (sources.reader == nullptr)
        throw EngineError(ErrorCode::InvalidRequest,
                          "This program cannot read picture files, so the recipe's data.folder cannot be used.");
    if (!fs::is_directory(options.folder, ignored))
        throw EngineError(ErrorCode::MissingFile,
                          "The recipe's data.folder " + path_for_message(options.folder) + " is not a folder.");
}

// The items of one run, file by file.
class Preparation {
public:
    Preparation(const MaterialOptions& options, const MaterialSources& sources)
        : options_(options),
          sources_(sources),
          cache_(options.cache.empty() ? sources.run_folder / "material" : options.cache),
          verdicts_(sources.run_folder / "material.csv", sources.notice),
          captions_(value_or_throw(MaterialCaptions::open(options.folder))) {}

    MaterialSet all() {
        for (const fs::path& file : files_below(options_.folder)) {
            const bool stopped = sources_.stop.stop_requested();
            if (stopped || (sources_.time_is_over && sources_.time_is_over())) {
                cache_.write();
                const std::string end =
                    " while the pictures of " + path_for_message(options_.folder) + " were prepared.";
                if (stopped) throw EngineError(ErrorCode::Cancelled, "Stopped" + end);
                throw OutOfTime(ErrorCode::Cancelled, "The time was over" + end);
            }
            take(file);
        }
        cache_.write();
        pair();
        set_.left_out = verdicts_.count();
        for (const MaterialItem& item : set_.items) verdicts_.used(item.name);
        verdicts_.write();
        if (set_.items.empty())
            throw EngineError(ErrorCode::InvalidRequest,
                              "Nothing in " + path_for_message(options_.folder) + " can be trained on; " +
                                  path_for_message(sources_.run_folder / "material.csv") + " says why.");
        return std::move(set_);
    }

private:
    std::string key_of(const std::string& content) const {
        const std::string encoder = sources_.encoder == nullptr ? "none" : sources_.encoder->fingerprint();
        return formats::sha256_hex(content + "|" + options_.fingerprint() + "|" + sources_.latents->makes() + "|" +
                                   encoder + "|" + sources_.reader->detector() + "|" + kVersion);
    }

    void take(const fs::path& file) {
        const std::string name = file.lexically_relative(options_.folder).generic_string();
        const std::optional<std::string> caption = captions_.of(file);
        if (!caption) return verdicts_.left_out(name, "it has no caption (" + file.stem().string() + ".txt)");
        if (const auto bad = caption_objection(*caption, sources_.trigger)) return verdicts_.left_out(name, *bad);
        const std::optional<std::string> content = content_hash(file);
        if (!content) return verdicts_.left_out(name, "it cannot be read");
        const std::string key = key_of(*content);
        std::optional<ItemOrReason> found = cache_.find(key);
        if (found) {
            ++set_.reused;
        } else {
            found = make_item(file, options_, sources_);
            cache_.add(key, *found);
        }
        if (const auto* reason = std::get_if<Reason>(&*found)) return verdicts_.left_out(name, reason->text);
        add(name, *caption, std::get<MadeItem>(std::move(*found)));
    }

    void add(const std::string& name, const std::string& caption, MadeItem made) {
        for (std::size_t i = 0; i < hashes_.size(); ++i) {
            if (different_bits(hashes_[i], made.hash) > options_.duplicate_bits) continue;
            return verdicts_.left_out(name, "it is the same picture as " + escape_for_message(set_.items[i].name));
        }
        hashes_.push_back(made.hash);
        made.item.name = name;
        made.item.caption = made.padded ? caption + ", with pure black on two sides" : caption;
        set_.items.push_back(std::move(made.item));
    }

    // References of the same person; without them an item can only be its own. Where no face is compared, every item
    // counts as another person.
    void pair() {
        if (sources_.encoder == nullptr) {
            for (std::size_t i = 0; i < set_.items.size(); ++i) set_.items[i].person = static_cast<std::int64_t>(i);
            return;
        }
        pair_items(set_.items, options_.similarity);
        if (options_.self_reference) return;
        std::vector<MaterialItem> kept;
        for (MaterialItem& item : set_.items) {
            if (item.partners.empty()) {
                verdicts_.left_out(item.name, "no other file shows the same person");
            } else {
                kept.push_back(std::move(item));
            }
        }
        set_.items = std::move(kept);
        pair_items(set_.items, options_.similarity);
    }

    const MaterialOptions& options_;
    const MaterialSources& sources_;
    Cache cache_;
    Verdicts verdicts_;
    MaterialCaptions captions_;
    MaterialSet set_;
    std::vector<std::uint64_t> hashes_;
};

}  // namespace

void pair_items(std::vector<MaterialItem>& items, double similarity) {
    const auto count = static_cast<std::int64_t>(items.size());
    std::vector<at::Tensor> rows;
    for (MaterialItem& item : items) {
        item.partners.clear();
        rows.push_back(item.embedding / item.embedding.norm().clamp_min(1e-6));
    }
    std::vector<std::int64_t> leader(items.size());
    std::iota(leader.begin(), leader.end(), 0);
    const auto find = [&](std::int64_t i) {
        while (leader[static_cast<std::size_t>(i)] != i) i = leader[static_cast<std::size_t>(i)];
        return i;
    };
    const at::Tensor all = rows.empty() ? at::Tensor() : at::stack(rows);
    for (std::int64_t begin = 0; begin < count; begin += kPairRows) {
        const at::Tensor some = all.narrow(0, begin, std::min(kPairRows, count - begin));
        const at::Tensor near = at::matmul(some, all.t()).gt(similarity).nonzero();
        const auto pairs = near.accessor<std::int64_t, 2>();
        for (std::int64_t k = 0; k < near.size(0); ++k) {
            const std::int64_t i = begin + pairs[k][0], j = pairs[k][1];
            if (i == j) continue;
            auto& partners = items[static_cast<std::size_t>(i)].partners;
            if (partners.size() < kMostPartners) partners.push_back(j);
            const std::int64_t a = find(i), b = find(j);
            leader[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
        }
    }
    for (std::int64_t i = 0; i < count; ++i) items[static_cast<std::size_t>(i)].person = find(i);
}

MaterialSet prepare_material(const MaterialOptions& options, const MaterialSources& sources) {
    check_sources(options, sources);
    MaterialSet set = Preparation(options, sources).all();
    if (sources.notice && set.left_out > 0)
        sources.notice("Training on " + std::to_string(set.items.size()) + " files of " +
                       path_for_message(options.folder) + "; " + std::to_string(set.reused) +
                       " judgements were known, " + std::to_string(set.left_out) + " files are left out.");
    return set;
}

}  // namespace mirror::engine::training
