// The words under which enumerators appear in files, events and options.

#include "engine/core/progress.h"
#include "engine/core/request.h"

namespace mirror {

const char* to_text(OutputKind kind) { return kind == OutputKind::Image ? "image" : "video"; }

const char* to_text(Method method) { return method == Method::None ? "none" : "magic-mirror"; }

const char* to_text(SamplerKind sampler) { return sampler == SamplerKind::Ddim ? "ddim" : "dpm"; }

const char* to_text(DynamicGuidance schedule) {
    switch (schedule) {
        case DynamicGuidance::Off:
            return "off";
        case DynamicGuidance::Timestep:
            return "timestep";
        case DynamicGuidance::Step:
            return "step";
    }
    return "off";
}

const char* to_text(Precision precision) { return precision == Precision::Bf16 ? "bf16" : "fp32"; }

const char* to_text(Decoding decoding) { return decoding == Decoding::Tiles ? "tiles" : "whole"; }

const char* to_text(Stage stage) {
    switch (stage) {
        case Stage::ReadReferences:
            return "read-references";
        case Stage::LoadWeights:
            return "load-weights";
        case Stage::ReadIdentity:
            return "read-identity";
        case Stage::EncodePrompt:
            return "encode-prompt";
        case Stage::Denoise:
            return "denoise";
        case Stage::Decode:
            return "decode";
        case Stage::Write:
            return "write";
    }
    return "write";
}

}  // namespace mirror
