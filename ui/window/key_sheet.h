#pragma once

#include <QDialog>

namespace mirror::ui {

// All keys of the window on one page.
class KeySheet : public QDialog {
    Q_OBJECT

public:
    explicit KeySheet(QWidget* parent = nullptr);
};

}  // namespace mirror::ui
