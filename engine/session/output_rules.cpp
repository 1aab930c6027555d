#include "engine/session/output_rules.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "engine/core/utf8.h"
#include "engine/formats/shard_index.h"

namespace mirror::engine {

namespace {

constexpr std::array kParts{"adapter",      "id_perceiver", "image_encoder", "recognizer", "scheduler",
                            "text_encoder", "tokenizer",    "transformer",   "vae"};

Error write_failed(const std::filesystem::path& file, const std::string& reason) {
    return {ErrorCode::WriteFailed, "cannot write '" + escape_for_message(file) + "': " + reason};
}

bool is_same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

}  // namespace

std::vector<std::filesystem::path> files_of_model(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files{folder / "model_index.json"};
    for (const char* part : kParts) {
        std::error_code error;
        std::filesystem::directory_iterator entry(folder / part, error);
        for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
            files.push_back(entry->path());
    }
    return files;
}

std::vector<std::filesystem::path> files_of_adapter(const std::filesystem::path& file) {
    std::vector<std::filesystem::path> files{file};
    if (!file.string().ends_with(".index.json")) return files;
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto index = formats::parse_shard_index(text, file.string());
    if (!index) return files;  // Whoever opens it says what is wrong.
    for (const std::string& shard : index.value().files) files.push_back(file.parent_path() / shard);
    return files;
}

Status check_output(const std::filesystem::path& output, const std::vector<std::filesystem::path>& inputs) {
    if (output.empty() || output.filename().empty() || output.filename() == "." || output.filename() == "..")
        return write_failed(output, "this is not the name of a file");
    const auto folder = output.has_parent_path() ? output.parent_path() : std::filesystem::path(".");
    struct stat folder_state {};
    if (::stat(folder.c_str(), &folder_state) != 0 || !S_ISDIR(folder_state.st_mode))
        return write_failed(output, "its folder does not exist");
    if (::access(folder.c_str(), W_OK | X_OK) != 0) return write_failed(output, "its folder cannot be written");

    struct stat state {};
    if (::lstat(output.c_str(), &state) != 0) {
        if (errno == ENOENT) return success();
        return write_failed(output, std::generic_category().message(errno));
    }
    if (S_ISDIR(state.st_mode)) return write_failed(output, "it is a folder");
    if (!S_ISREG(state.st_mode)) return write_failed(output, "only a regular file is replaced");
    for (const auto& input : inputs) {
        struct stat input_state {};
        if (::stat(input.c_str(), &input_state) == 0 && is_same_file(state, input_state))
            return write_failed(output, "the run reads this file");
    }
    return success();
}

std::filesystem::path place_of(const std::filesystem::path& file) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(file));
}

}  // namespace mirror::engine
