#include "engine/training/identity_heads.h"

#include "engine/training/people/identity.h"

namespace mirror::engine::training {

IdentityLosses IdentityLosses::read(const Recipe& recipe) {
    IdentityLosses losses;
    if (!recipe.file.has("losses")) return losses;
    const ConfigReader part = recipe.file.object("losses");
    part.refuse_unknown({"margin", "scale", "identity", "code", "contrast"});
    losses.margin = part.number_or("margin", losses.margin, 0.0, 1.0);
    losses.scale = part.number_or("scale", losses.scale, 1.0, 1e3);
    losses.identity = part.number_or("identity", losses.identity, 0.0, 1e3);
    losses.code = part.number_or("code", losses.code, 0.0, 1e3);
    if (part.has("contrast") && recipe.stage != StageKind::ClipTower)
        part.refuse("contrast", "is for the stage clip-tower alone");
    losses.contrast = part.number_or("contrast", losses.contrast, 0.0, 1e3);
    if (losses.contrast > 0 && recipe.micro_batch < recipe.batch)
        recipe.file.refuse("micro_batch", "must be the whole batch, whose pictures losses.contrast compares");
    return losses;
}

IdentityHeads::IdentityHeads(const WeightScope& weights, std::int64_t width, std::int64_t people)
    : classes((weights / "classes").tensor("weight", {people, width})),
      code(weights / "code", width, people::kIdentityCodeLength) {}

BatchLoss IdentityHeads::loss(const at::Tensor& embeddings, const PeopleBatch& batch,
                              const IdentityLosses& losses) const {
    const at::Tensor who =
        margin_loss(embeddings, classes, batch.classes.to(embeddings.device()), losses.scale, losses.margin);
    const at::Tensor looks = code_loss(code(embeddings), batch.codes.to(embeddings.device()));
    return {losses.identity * who + losses.code * looks,
            {{"identity", who.item<double>()}, {"code", looks.item<double>()}}};
}

TensorMap network_tensors(const TensorMap& named, at::ScalarType dtype) {
    static const std::string prefix = "network.";
    TensorMap tensors;
    for (const auto& [name, tensor] : named) {
        if (name.starts_with(prefix)) tensors[name.substr(prefix.size())] = tensor.to(dtype);
    }
    return tensors;
}

}  // namespace mirror::engine::training
