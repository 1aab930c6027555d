#include "engine/training/reference_encoder.h"

#include <c10/core/GradMode.h>

namespace mirror::engine::training {

namespace mm = magic_mirror;

ReferenceEncoder::ReferenceEncoder(const ModelStart& start, at::Device device, at::ScalarType dtype)
    : config_(start.adapter_config()),
      device_(device),
      dtype_(dtype),
      recognizer_(start.frozen("recognizer"), start.recognizer_config()),
      tower_(start.frozen("image_encoder", dtype), mm::read_clip_vision_config(start.config("image_encoder"))),
      perceiver_(start.frozen("id_perceiver", dtype), mm::read_perceiver_id_config(start.config("id_perceiver"))),
      fingerprint_(start.fingerprint("recognizer") + start.fingerprint("image_encoder") +
                   start.fingerprint("id_perceiver") + mm::clip_layers_of(config_.switches) +
                   mm::ref_crop_of(config_.switches) + c10::toString(dtype)) {}

ReferenceFeatures ReferenceEncoder::operator()(const ReferencePictures& pictures) const {
    const c10::NoGradGuard no_gradients;
    const mm::ClipFeatures features = tower_(pictures.crop.unsqueeze(0).to(device_, dtype_));
    const at::Tensor known = embedding(pictures.aligned);
    const at::Tensor identity =
        perceiver_(known.unsqueeze(0).to(device_, dtype_), mm::tap(features, config_.switches.id_vit_layer).to(dtype_));
    const auto kept = [](const at::Tensor& x) { return x[0].to(at::kCPU, at::kBFloat16).clone(); };
    return {kept(identity), kept(mm::tap(features, config_.switches.face_vit_layer)), known};
}

at::Tensor ReferenceEncoder::embedding(const at::Tensor& aligned) const {
    const c10::NoGradGuard no_gradients;
    return recognizer_.forward(aligned.unsqueeze(0).to(device_))[0].to(at::kCPU, at::kFloat);
}

}  // namespace mirror::engine::training
