#pragma once

// The prompt with its trigger and class word marked. Tab leaves it; files dropped on it belong to somebody else.

#include <QPlainTextEdit>

class QSyntaxHighlighter;

namespace mirror::ui {

class PromptEdit : public QPlainTextEdit {
    Q_OBJECT

public:
    explicit PromptEdit(const QString& name, QWidget* parent = nullptr);

    // Marks what belongs to the person.
    void setMarked();

protected:
    void changeEvent(QEvent* event) override;
    bool canInsertFromMimeData(const QMimeData* source) const override;

private:
    QSyntaxHighlighter* marker_ = nullptr;  // Belongs to the document.
};

}  // namespace mirror::ui
