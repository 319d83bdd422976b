import { lazy, useEffect } from "react";

const LOADERS = {
  change: () => import("./ChangePlanDialog"),
  cancel: () => import("./CancelDialog"),
  keep: () => import("./KeepDialog"),
};

export const ChangePlanDialog = lazy(LOADERS.change);
export const CancelDialog = lazy(LOADERS.cancel);
export const KeepDialog = lazy(LOADERS.keep);

const SOON_MS = 1500;

/** Fetch the dialogs once the page is there, so that none keeps anyone waiting who asks for it. */
export function useDialogsSoon(): void {
  useEffect(() => {
    const ignore = () => {}; // whoever opens it then is told
    const timer = setTimeout(() => Object.values(LOADERS).map((load) => load().catch(ignore)), SOON_MS);
    return () => clearTimeout(timer);
  }, []);
}
