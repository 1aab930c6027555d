#pragma once

// Which model is chosen and what is known of it. Knows no widget.

#include <QObject>
#include <optional>

#include "ui/ports/engine_client.h"

namespace mirror::ui {

class ModelChoice : public QObject {
    Q_OBJECT

public:
    explicit ModelChoice(EngineClient& client, QObject* parent = nullptr);

    void choose(const QString& folder);

    const QString& folder() const { return folder_; }  // Empty while none is chosen.
    const std::optional<ModelCard>& card() const { return card_; }
    const QString& refusal() const { return refusal_; }  // One sentence; empty unless the folder is no model.

Q_SIGNALS:
    void changed();

private:
    EngineClient& client_;
    QString folder_;
    std::optional<ModelCard> card_;
    QString refusal_;
};

}  // namespace mirror::ui
