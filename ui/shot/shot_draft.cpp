#include "ui/shot/shot_draft.h"

#include <QFileInfo>

#include "ui/people/photo_list.h"
#include "ui/ports/paths.h"
#include "ui/shot/model_choice.h"
#include "ui/shot/prompt_marks.h"

namespace mirror::ui {

QString ShotRules::modelObjection(const ModelChoice& model) {
    if (model.folder().isEmpty()) return tr("Choose a model folder.");
    if (!model.refusal().isEmpty()) return model.refusal();
    if (!model.card()) return tr("Reading the model folder.");
    if (model.card()->takesImage) return tr("This model starts from a first frame: choose one that starts from text.");
    if (!model.card()->hasAdapter)
        return tr("This model folder has no adapter, so it cannot keep a person: choose another.");
    return {};
}

QString ShotRules::photoObjection(const PhotoList& photos) {
    if (photos.entries().empty()) return tr("Add a photograph of the person.");
    for (int i = 0; i < usedPhotos(photos); ++i) {
        const PhotoEntry& entry = photos.entries()[static_cast<std::size_t>(i)];
        if (!entry.photo) return tr("Looking for faces in the photographs.");
        if (!entry.hasFace()) {
            return tr("No face was found in %1: remove it or take another.").arg(QFileInfo(entry.file).fileName());
        }
    }
    return {};
}

QString ShotRules::promptObjection(const QString& prompt) {
    if (prompt.trimmed().isEmpty()) return tr("Describe the shot in the prompt.");
    switch (markPrompt(prompt).flaw) {
        case PromptFlaw::TwoTriggers:
            return tr("Write img only once: there is one person.");
        case PromptFlaw::TriggerWithoutClassWord:
            return tr("Put a word for the person right before img, such as a woman img.");
        default:
            return {};
    }
}

QString ShotRules::objection(const ShotDraft& draft, const ModelChoice& model, const PhotoList& photos) {
    for (const QString& reason : {photoObjection(photos), promptObjection(draft.prompt), modelObjection(model)}) {
        if (!reason.isEmpty()) return reason;
    }
    if (!draft.size) return tr("Write the size as two multiples of 16, such as 720 × 480.");
    const int stride = model.card()->frameStride;
    if ((draft.frames - 1) % stride != 0) {
        return tr("This model makes clips of 1, %1, %2 … frames.").arg(1 + stride).arg(1 + 2 * stride);
    }
    return {};
}

QString ShotRules::advice(const QString& prompt) {
    const PromptMarks marks = markPrompt(prompt);
    if (prompt.trimmed().isEmpty() || marks.flaw != PromptFlaw::NoClassWord) return {};
    return tr(
        "Name the person with a word such as woman or man, followed by img, so that the text carries the face too.");
}

GenerationRequest requestOf(const ShotDraft& draft, const ModelChoice& model, const PhotoList& photos,
                            const RunPlace& place) {
    GenerationRequest request;
    request.model = pathOf(model.folder());
    request.prompt = {draft.prompt.toStdString(), draft.negative.toStdString()};
    request.video = {draft.size->width(), draft.size->height(), draft.frames, model.card()->native.rate};
    request.sampling.sampler = draft.sampler;
    request.sampling.steps = draft.steps;
    request.sampling.guidance = draft.guidance;
    request.sampling.dynamic_guidance =
        draft.sampler == SamplerKind::Dpm ? DynamicGuidance::Timestep : DynamicGuidance::Off;
    request.sampling.seed = draft.seed;
    request.references = photos.references();
    request.identity.value = draft.strength;
    request.device = place.device;
    request.precision = place.precision;
    request.memory_budget = place.memoryBudget;
    return request;
}

}  // namespace mirror::ui
