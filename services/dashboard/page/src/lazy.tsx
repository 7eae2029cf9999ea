/** Views that are loaded when they are first gone to. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button, EmptyState, Skeleton } from "./ui/basic";

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [, ready] = useState(false);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded) return;
      let gone = false;
      load().then(
        (component) => {
          loaded = component;
          if (!gone) ready(true);
        },
        () => !gone && setFailed(true),
      );
      return () => {
        gone = true;
      };
    }, []);
    if (loaded) {
      const View = loaded;
      return <View {...props} />;
    }
    if (!failed) return <Skeleton lines={10} />;
    // A newer version of the dashboard has no part of this one.
    return (
      <EmptyState
        page
        icon="retry"
        title="This part of the page could not be loaded"
        action={<Button onClick={() => location.reload()}>Load the page again</Button>}
      >
        The dashboard may have been updated, or the network is away.
      </EmptyState>
    );
  };
}
