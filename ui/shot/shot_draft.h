#pragma once

// What the person has set for the shot, why it cannot be made yet, and the request it becomes.

#include <QCoreApplication>
#include <QSize>
#include <QString>
#include <optional>

#include "engine/core/request.h"

namespace mirror::ui {

class ModelChoice;
class PhotoList;

// Where runs happen; the same for every take of one start of the program.
struct RunPlace {
    std::string device = "cpu";
    Precision precision = Precision::Fp32;
    std::uint64_t memoryBudget = 0;
};

struct ShotDraft {
    QString prompt;
    QString negative;
    double strength = 1.0;
    std::optional<QSize> size;  // Null while what is typed is no size.
    int frames = 49;
    int steps = 50;
    double guidance = 6.0;
    std::uint64_t seed = 0;
    SamplerKind sampler = SamplerKind::Dpm;
};

class ShotRules {
    Q_DECLARE_TR_FUNCTIONS(ShotRules)

public:
    // The first reason why the shot cannot be made, as one sentence; empty if it can.
    static QString objection(const ShotDraft& draft, const ModelChoice& model, const PhotoList& photos);
    // Advice about a prompt that works but could be better; empty if there is none.
    static QString advice(const QString& prompt);

private:
    static QString modelObjection(const ModelChoice& model);
    static QString photoObjection(const PhotoList& photos);
    static QString promptObjection(const QString& prompt);
};

// Only for a draft without objection.
GenerationRequest requestOf(const ShotDraft& draft, const ModelChoice& model, const PhotoList& photos,
                            const RunPlace& place);

}  // namespace mirror::ui
