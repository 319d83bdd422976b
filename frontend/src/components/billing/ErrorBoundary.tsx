import { Component, type ReactNode } from "react";
import { useText } from "../../i18n";
import { Alert } from "../ui/alert";
import { Button } from "../ui/button";

/** Where a fault of ours ends: a sentence in place of the part that failed, and the rest of the page goes on. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <Crashed /> : this.props.children;
  }
}

function Crashed() {
  const t = useText();
  return (
    <div role="alert">
      <Alert
        level="bad"
        actions={
          <Button small variant="secondary" onClick={() => window.location.reload()}>
            {t("page.refresh")}
          </Button>
        }
      >
        {t("page.crashed")}
      </Alert>
    </div>
  );
}
