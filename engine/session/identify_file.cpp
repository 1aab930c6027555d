#include "engine/session/identify_file.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/core/utf8.h"
#include "engine/formats/onnx_outline.h"
#include "engine/formats/safetensors.h"
#include "engine/formats/sha256.h"
#include "engine/formats/torch_archive.h"
#include "engine/formats/zip_archive.h"
#include "engine/session/error_boundary.h"
#include "engine/text/tokenizer.h"
#include "engine/weights/mapped_file.h"

namespace mirror::engine {

namespace {

using Bytes = std::span<const std::byte>;

struct Mark {
    std::string_view tensor;  // The end of a name that only this part has.
    const char* kind;
    const char* home;
};
constexpr std::array kMarks{
    Mark{"transformer_blocks.0.attn1.to_q.weight", "CogVideoX transformer", "transformer/"},
    Mark{"decoder.conv_in.conv.weight", "CogVideoX VAE", "vae/"},
    Mark{"encoder.block.0.layer.0.SelfAttention.q.weight", "T5 encoder", "text_encoder/"},
    Mark{"embeddings.class_embedding", "CLIP vision tower", "image_encoder/"},
    Mark{"token_proj.fc1.weight", "identity perceiver", "id_perceiver/"},
    Mark{"stem.conv.weight", "face recogniser", "recognizer/"},
};

FileIdentity identify_safetensors(Bytes file, const std::string& origin) {
    const auto header = value_or_throw(formats::parse_safetensors(file, origin));
    const auto format = header.metadata.find("format");
    if (format != header.metadata.end() && format->second == "magic-mirror-adapter")
        return {FileFormat::Safetensors, "Magic Mirror adapter", "adapter/", {}};
    for (const Mark& mark : kMarks)
        for (const auto& tensor : header.tensors)
            if (tensor.name.ends_with(mark.tensor)) return {FileFormat::Safetensors, mark.kind, mark.home, {}};
    if (header.find("latents") != nullptr) return {FileFormat::Safetensors, "denoised latents", "", {}};
    return {FileFormat::Safetensors, "tensors of an unknown model (or a later shard)", "", {}};
}

FileIdentity identify_archive(Bytes file, const std::string& origin) {
    const auto tensors = value_or_throw(formats::parse_torch_archive(file, formats::Checksums::Verify, origin));
    const bool photomaker = std::any_of(tensors.begin(), tensors.end(), [](const formats::ArchivedTensor& each) {
        return each.tensor.dictionary == "id_encoder" && each.tensor.name.starts_with("qformer_perceiver.");
    });
    return {FileFormat::TorchArchive,
            photomaker ? "PhotoMaker V2, to be taken over with models import" : "PyTorch checkpoint",
            "",
            {}};
}

// By inputs and outputs, since exports name their operations as they like.
FileIdentity identify_onnx(Bytes file, const std::string& origin) {
    const auto outline = value_or_throw(formats::parse_onnx_outline(file, origin));
    const auto& inputs = outline.inputs;
    const auto& outputs = outline.outputs;
    const auto is = [](const char* kind) { return FileIdentity{FileFormat::Onnx, kind, "", {}}; };
    const bool pictures = inputs.size() == 1 && inputs[0].shape.size() == 4 && inputs[0].shape[1] == 3;
    if (!pictures) return is("ONNX network of an unknown kind");
    const bool aligned = inputs[0].shape[2] == 112 && inputs[0].shape[3] == 112;
    if (aligned && outputs.size() == 1 && !outputs[0].shape.empty()) {
        if (outputs[0].shape.back() == 512) return is("ArcFace face recogniser (ONNX)");
        if (outputs[0].shape.back() == 128) return is("SFace face recogniser (ONNX)");
    }
    const auto named = [&](std::string_view name) {
        return std::any_of(outputs.begin(), outputs.end(), [&](const auto& output) { return output.name == name; });
    };
    if ((outputs.size() == 12 && named("cls_8") && named("obj_8")) || (outputs.size() == 3 && named("iou")))
        return is("YuNet face detector (ONNX)");
    if (outputs.size() == 9 || outputs.size() == 15) return is("SCRFD face detector with landmarks (ONNX)");
    if (outputs.size() == 6 || outputs.size() == 10) return is("SCRFD face detector without landmarks (ONNX)");
    return is("ONNX network of an unknown kind");
}

bool begins_as_safetensors(Bytes file) { return file.size() > 8 && file[8] == std::byte{'{'}; }

FileIdentity identify(const std::filesystem::path& file) {
    const auto mapped = value_or_throw(MappedFile::open(file));
    const Bytes bytes = mapped->bytes();
    FileIdentity identity;
    if (begins_as_safetensors(bytes)) {
        identity = identify_safetensors(bytes, file.native());
    } else if (formats::looks_like_zip(bytes)) {
        identity = identify_archive(bytes, file.native());
    } else if (formats::parse_onnx_outline(bytes, file.native()).ok()) {
        identity = identify_onnx(bytes, file.native());
    } else if (Tokenizer::open(file).ok()) {
        identity = {FileFormat::SentencePiece, "SentencePiece vocabulary", "tokenizer/spiece.model", {}};
    } else {
        throw EngineError(ErrorCode::MalformedFile,
                          "'" + escape_for_message(file) +
                              "' is no file of a model that is known here: neither safetensors, torch.save, ONNX nor "
                              "SentencePiece, or it is damaged");
    }
    formats::Sha256 hash;
    hash.update(bytes);
    identity.sha256 = hash.hex_digest();
    return identity;
}

}  // namespace

Result<FileIdentity> identify_file(const std::filesystem::path& file) {
    return guarded_value<FileIdentity>([&] { return identify(file); });
}

}  // namespace mirror::engine
