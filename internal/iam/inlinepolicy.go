package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerInlinePolicies(*service.Registry, *Service) {}
