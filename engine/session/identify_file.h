#pragma once

// What a single file is, told by its content, whatever it is called. Names no torch type.

#include <filesystem>
#include <string>

#include "engine/core/result.h"

namespace mirror::engine {

enum class FileFormat { Safetensors, TorchArchive, SentencePiece, Onnx };

struct FileIdentity {
    FileFormat format = FileFormat::Safetensors;
    std::string kind;     // "CogVideoX transformer", for people.
    std::string home;     // Where in a checkpoint folder it belongs, or in which other folder; empty if nowhere.
    std::string id_pack;  // The embedding space of a recogniser or an adapter; otherwise empty.
    std::string licence;  // As the file states it, or that of the published model; empty if unknown.
    std::string sha256;   // Of the whole file, lower-case hex.
};

// Reads the whole file once. Errors: MissingFile, MalformedFile if it is none of the known ones or damaged.
Result<FileIdentity> identify_file(const std::filesystem::path& file);

}  // namespace mirror::engine
