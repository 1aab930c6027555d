#include "engine/session/identify_file.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/core/utf8.h"
#include "engine/face/network_kind.h"
#include "engine/formats/onnx_outline.h"
#include "engine/formats/safetensors.h"
#include "engine/formats/sha256.h"
#include "engine/formats/torch_archive.h"
#include "engine/formats/zip_archive.h"
#include "engine/session/error_boundary.h"
#include "engine/session/licences.h"
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

std::string field(const formats::Metadata& metadata, const char* name) {
    const auto found = metadata.find(name);
    return found == metadata.end() ? std::string() : found->second;
}

FileIdentity identify_safetensors(Bytes file, const std::string& origin) {
    const auto header = value_or_throw(formats::parse_safetensors(file, origin));
    const auto format = header.metadata.find("format");
    if (format != header.metadata.end() && format->second == "magic-mirror-adapter")
        return {FileFormat::Safetensors,
                "Magic Mirror adapter",
                "adapter/",
                field(header.metadata, "id_pack"),
                field(header.metadata, "license"),
                {}};
    for (const Mark& mark : kMarks)
        for (const auto& tensor : header.tensors)
            if (tensor.name.ends_with(mark.tensor)) return {FileFormat::Safetensors, mark.kind, mark.home, {}, {}, {}};
    if (header.find("latents") != nullptr) return {FileFormat::Safetensors, "denoised latents", "", {}, {}, {}};
    return {FileFormat::Safetensors, "tensors of an unknown model (or a later shard)", "", {}, {}, {}};
}

FileIdentity identify_archive(Bytes file, const std::string& origin) {
    const auto tensors = value_or_throw(formats::parse_torch_archive(file, formats::Checksums::Verify, origin));
    const bool photomaker = std::any_of(tensors.begin(), tensors.end(), [](const formats::ArchivedTensor& each) {
        return each.tensor.dictionary == "id_encoder" && each.tensor.name.starts_with("qformer_perceiver.");
    });
    if (!photomaker) return {FileFormat::TorchArchive, "PyTorch checkpoint", "", {}, {}, {}};
    return {
        FileFormat::TorchArchive, "PhotoMaker V2, to be taken over with models import", "", {}, kPhotoMakerLicence, {}};
}

FileIdentity identify_onnx(Bytes bytes, const std::filesystem::path& file) {
    const auto kind = face::kind_of(value_or_throw(formats::parse_onnx_outline(bytes, file.native())));
    FileIdentity identity{FileFormat::Onnx, face::to_text(kind), "", {}, licence_of_network(kind), {}};
    if (kind == face::NetworkKind::Unknown) return identity;
    identity.kind += " (ONNX)";
    if (face::is_recognizer(kind)) identity.id_pack = face::id_pack_of(kind, file);
    if (face::is_recognizer(kind) || face::is_detector(kind))
        identity.home = "the folder that MIRROR_FACE_MODELS names";
    return identity;
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
        identity = identify_onnx(bytes, file);
    } else if (Tokenizer::open(file).ok()) {
        identity = {FileFormat::SentencePiece, "SentencePiece vocabulary", "tokenizer/spiece.model", {}, {}, {}};
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
