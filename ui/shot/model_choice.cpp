#include "ui/shot/model_choice.h"

#include <QDir>

namespace mirror::ui {

ModelChoice::ModelChoice(EngineClient& client, QObject* parent) : QObject(parent), client_(client) {
    connect(&client_, &EngineClient::modelInspected, this, [this](const QString& folder, const ModelCard& card) {
        if (folder != folder_) return;
        card_ = card;
        Q_EMIT changed();
    });
    connect(&client_, &EngineClient::modelRefused, this, [this](const QString& folder, const Error& error) {
        if (folder != folder_) return;
        refusal_ = QString::fromStdString(error.detail);
        Q_EMIT changed();
    });
}

void ModelChoice::choose(const QString& folder) {
    folder_ = folder.isEmpty() ? QString() : QDir(folder).absolutePath();
    card_.reset();
    refusal_.clear();
    Q_EMIT changed();
    if (!folder_.isEmpty()) client_.inspectModel(folder_);
}

}  // namespace mirror::ui
