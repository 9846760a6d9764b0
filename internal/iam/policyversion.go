package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerPolicyVersions(*service.Registry, *Service) {}
